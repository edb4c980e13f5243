#include "admin/metrics_upstreams.h"

#include <algorithm>

#include "admin/endpoint_view.h"
#include "admin/metrics_rows.h"

namespace rproxy::admin {
namespace {

using Type = metrics::Text::Type;
using Breaker = balance::CircuitBreaker;

struct UpstreamNow {
  std::uint64_t endpoints = 0;
  std::uint64_t available = 0;
  std::uint64_t waiting = 0;
  std::uint64_t queued = 0;
  std::uint64_t refused = 0;
  std::uint64_t late = 0;
  std::uint64_t connections = 0;
  std::uint64_t pending = 0;
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  std::uint64_t open = 0;
  std::uint64_t half_open = 0;

  void add(const upstream::Upstream& upstream, TimePoint now) {
    const auto set = upstream.endpoints();
    endpoints += set->states().size();
    available += static_cast<std::uint64_t>(
        std::ranges::count_if(set->states(), [now](const auto* state) { return state->is_available(now); }));
    const auto& [breaker, queue] = upstream.capacity();
    waiting += queue.waiting();
    queued += queue.counts().queued.load();
    refused += queue.counts().refused.load();
    late += queue.counts().late.load();
    connections += breaker.in_use(Breaker::Resource::kConnections);
    pending += breaker.in_use(Breaker::Resource::kPending);
    requests += upstream.peers().in_flight();
    retries += breaker.in_use(Breaker::Resource::kRetries);
    const Breaker::State state = breaker.state();
    open += state == Breaker::State::kOpen ? 1 : 0;
    half_open += state == Breaker::State::kHalfOpen ? 1 : 0;
  }
};

struct Family {
  const char* name;
  Type type;
  const char* help;
  const std::uint64_t UpstreamNow::*value;
};

constexpr Family kFamilies[] = {
    {"rproxy_upstream_endpoints", Type::kGauge, "Endpoints of an upstream.", &UpstreamNow::endpoints},
    {"rproxy_upstream_endpoints_available", Type::kGauge, "Endpoints that take requests.", &UpstreamNow::available},
    {"rproxy_upstream_connections", Type::kGauge, "Connections to the endpoints.", &UpstreamNow::connections},
    {"rproxy_upstream_in_flight", Type::kGauge, "Requests under way.", &UpstreamNow::requests},
    {"rproxy_upstream_pending", Type::kGauge, "Requests that wait for a new connection, or in the queue.",
     &UpstreamNow::pending},
    {"rproxy_upstream_retries_in_flight", Type::kGauge, "Requests that are tried again.", &UpstreamNow::retries},
    {"rproxy_upstream_queue_length", Type::kGauge, "Requests that wait for room.", &UpstreamNow::waiting},
    {"rproxy_upstream_queued_total", Type::kCounter, "Requests that had to wait for room.", &UpstreamNow::queued},
    {"rproxy_upstream_queue_refused_total", Type::kCounter, "Requests that found the queue full.",
     &UpstreamNow::refused},
    {"rproxy_upstream_queue_late_total", Type::kCounter, "Requests for which no room came in time.",
     &UpstreamNow::late},
    {"rproxy_upstream_breaker_open", Type::kGauge, "Whether the circuit breaker is open.", &UpstreamNow::open},
    {"rproxy_upstream_breaker_half_open", Type::kGauge, "Whether the circuit breaker lets probes through only.",
     &UpstreamNow::half_open},
};

}  // namespace

void put_upstreams(metrics::Text& text, const Serving& serving, std::size_t max, TimePoint now) {
  Rows<UpstreamNow> rows(max);
  for (const auto& upstream : serving.upstreams) rows.at(upstream->name(), kOtherSeries).add(*upstream, now);
  for (const Family& family : kFamilies) {
    text.family(family.name, family.type, family.help);
    for (const auto& [name, row] : rows.all()) text.sample({{"upstream", name}}, row.*family.value);
  }
}

}  // namespace rproxy::admin
