#include "sim/house.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "filter/grpc_web.h"
#include "net/tls_stream.h"
#include "sim/http2_client.h"

namespace rproxy::sim {
namespace {

// Small, so that heads and contents meet the buffer's end.
constexpr std::size_t kHeadMax = 2048;
constexpr std::size_t kBufferSize = kHeadMax + 1024;
constexpr std::uint64_t kBodyMax = 16 * 1024;
// Longer than any of the timeouts that may follow each other, in ticks; a tunnel may be silent for an hour.
constexpr std::uint64_t kTicksMax = std::uint64_t{300} * 20;
constexpr std::uint64_t kTunnelTicksMax = kTicksMax + std::uint64_t{3600} * 20;
constexpr std::size_t kEndpoints = 2;
constexpr Duration kHedgeAfter{1'000};
// Virtual time is faster than the budget's.
constexpr std::uint32_t kBudget = 1000;

constexpr Duration kQueueTimeout{250'000};

void limit(upstream::Options& options, Scenario::Room room) {
  options.queue.timeout = kQueueTimeout;
  if (room == Scenario::Room::kUpstream) options.limits.max_requests = 1;
  if (room == Scenario::Room::kConnections) options.limits.max_connections = 1;
  for (auto& endpoint : options.endpoints) endpoint.max_connections = room == Scenario::Room::kServers ? 1 : 0;
}

upstream::Options make_upstream_options(bool is_http2, const std::vector<Scenario>& scenarios) {
  upstream::Options options;
  options.name = "origins";
  options.policy.kind = balance::PolicyKind::kRoundRobin;
  options.head.head.bytes = kHeadMax;
  options.retry.on.statuses.set(429);
  if (std::ranges::any_of(scenarios, &Scenario::hedges)) options.retry.hedge.emplace().after = kHedgeAfter;
  options.retry.budget_min = kBudget;
  if (is_http2) options.protocol = upstream::Protocol::kHttp2;
  for (std::uint16_t i = 1; i <= kEndpoints; ++i) {
    balance::EndpointOptions endpoint;
    endpoint.address = *HostPort::parse("10.0.0.1:" + std::to_string(i));
    options.endpoints.push_back(std::move(endpoint));
  }
  limit(options, scenarios.front().room);
  return options;
}

route::Router make_router() {
  const std::vector<route::Rule> rules{{"all", {}, 0}};
  std::vector<route::RuleProblem> problems;
  return route::Router(rules, problems);
}

TlsParts& tls_parts() {
  static TlsParts parts;
  return parts;
}

net::TlsClientOptions unverified() {
  net::TlsClientOptions options;
  options.enabled = true;
  options.verify = false;
  return options;
}

}  // namespace

House::House(std::vector<Scenario> scenarios, const WorldOptions& options, Speech speech)
    : scenarios_(std::move(scenarios)),
      seed_(options.seed),
      speech_(speech),
      tls_(speech == Speech::kHttp1Tls ? &tls_parts() : nullptr),
      loop_(kBufferSize),
      world_(loop_, options),
      upstream_options_(make_upstream_options(is_http2_upstream(), scenarios_)),
      tls_server_(tls_ != nullptr ? std::move(*net::TlsServerContext::create(
                                        {}, net::TlsPresence::of(tls_->keys()).value(), tickets_))
                                  : nullptr),
      tls_client_(tls_ != nullptr ? std::move(*net::TlsClientContext::create(unverified())) : nullptr),
      upstream_(std::move(*upstream::Upstream::create(upstream_options_))),
      origin_(world_, tls_, is_http2_upstream()),
      pool_(make_pool(upstream_, origin_)),
      shadow_(std::move(*upstream::Upstream::create(upstream_options_))),
      shadow_origin_(world_, tls_, is_http2_upstream()),
      shadow_pool_(make_pool(shadow_, shadow_origin_)),
      router_(make_router()) {
  // Failures are the daily bread here.
  log::set_level(LogLevel::kOff);
  client_options_.head.head.bytes = kHeadMax;
  client_options_.max_body.bytes = kBodyMax;
  plan_.action.upstream = upstream_options_.name;
  std::vector<proxy::RouteHandler::Route> routes;
  routes.push_back({"all", std::make_unique<filter::GrpcWeb>(make_proxy())});
  root_.emplace(*router_, forwarding_, std::move(routes));
  context_.emplace(client_options_, loop_, *root_, this);
  for (const Scenario& scenario : scenarios_) {
    origin_.follow(scenario.origin);
    shadow_origin_.follow(scenario.origin);
    clients_.push_back(make_client(scenario));
    serve(*clients_.back());
  }
}

std::unique_ptr<upstream::Pool> House::make_pool(const std::shared_ptr<upstream::Upstream>& upstream, Origin& origin) {
  const auto connecting = [this, &origin](net::Loop&, const net::SocketAddress&, Duration timeout) {
    return connect(origin, timeout);
  };
  return std::make_unique<upstream::Pool>(loop_, upstream::Reach{upstream, tls_client_, connecting}, seed_);
}

std::unique_ptr<exchange::Handler> House::make_proxy() {
  if (has_mirror()) plan_.action.mirror.emplace().upstream = "shadow";
  auto proxy = std::make_unique<proxy::Proxy>(plan_, forwarding_, std::vector{pool_.get()}, shadow_pool_.get(), seed_);
  if (!has_cache()) return proxy;
  cache_options_.cache_status = false;
  return std::make_unique<proxy::CachedProxy>(cache_, cache_options_, "sim", "rproxy", users_, std::move(proxy));
}

std::unique_ptr<Client> House::make_client(const Scenario& scenario) {
  if (is_http2()) return std::make_unique<Http2Client>(world_, scenario);
  return std::make_unique<Http1Client>(world_, scenario, tls_);
}

void House::serve(Client& client) {
  exchange::Client from;
  from.peer.ip = *IpAddress::parse("192.0.2.1");
  auto stream = SimulatedStream::open(world_, Side::kClient, client.wire());
  tasks_.spawn(tls_ != nullptr ? serve_tls(std::move(stream), from)
                               : downstream::serve_http1(std::move(stream), from, *context_));
}

// As a worker does.
net::Task<void> House::serve_tls(net::StreamPtr stream, exchange::Client from) {
  auto secured = net::TlsStream::accept(std::move(stream), *tls_server_);
  auto done = co_await secured->handshake(client_options_.handshake_timeout);
  if (done) co_await downstream::serve_http1(std::move(secured), from, *context_);
}

net::Task<Result<net::StreamPtr>> House::connect(Origin& origin, Duration timeout) {
  const Fault fault = world_.next_operation(World::Harmless::kEver);
  if (world_.one_in(2)) co_await Turn(world_);
  if (fault == Fault::kReset) co_return fail(ErrorCode::kConnectRefused, Side::kUpstream, Retry::kSafe);
  if (fault == Fault::kEnd) co_return fail(ErrorCode::kUnreachable, Side::kUpstream, Retry::kSafe);
  if (fault == Fault::kStall) {
    co_await Sleep(world_, timeout);
    co_return fail(ErrorCode::kConnectTimeout, Side::kUpstream, Retry::kSafe);
  }
  co_return origin.accept();
}

bool House::run(std::size_t steps_max) {
  const std::uint64_t end = world_.tick() + (has_tunnel() ? kTunnelTicksMax : kTicksMax);
  for (std::size_t steps = 0; steps < steps_max;) {
    if (world_.step()) {
      ++steps;
    } else if (is_over()) {
      return true;
    } else if (world_.tick() > end) {
      return false;
    } else {
      world_.advance();
    }
  }
  return true;
}

void House::run_while(const std::function<bool()>& is_busy) {
  run();
  for (std::uint64_t left = kTicksMax; is_busy() && left > 0; --left) {
    world_.advance();
    run();
  }
}

bool House::has_tunnel() const {
  return std::any_of(scenarios_.begin(), scenarios_.end(),
                     [](const Scenario& scenario) { return scenario.expected.front().status == "101"; });
}

void House::drain() {
  context_->draining = true;
  context_->idle.drain();
  pool_->close_idle();
}

}  // namespace rproxy::sim
