#include "admin/views.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "admin/endpoint_view.h"

namespace rproxy::admin {
namespace {

using std::chrono::system_clock;

double milliseconds(std::chrono::nanoseconds time) {
  return static_cast<double>(std::chrono::duration_cast<std::chrono::microseconds>(time).count()) / 1000;
}

Json counts_view(const upstream::Endpoint& endpoint) {
  metrics::EndpointSeries total;
  endpoint.series.add_to(total);
  Json responses = Json::object();
  for (std::size_t i = 2; i < metrics::StatusCounters::kNames.size(); ++i) {
    responses[std::string(metrics::StatusCounters::kNames.at(i))] = total.responses.value(i);
  }
  Json failures = Json::object();
  for (std::size_t i = 0; i < metrics::kFailureNames.size(); ++i) {
    failures[std::string(metrics::kFailureNames.at(i))] = total.failures.at(i).value();
  }
  return {{"requests", total.requests.value()},
          {"retries", total.retries.value()},
          {"responses", std::move(responses)},
          {"failures", std::move(failures)},
          {"ejections", endpoint.state.ejections()}};
}

Json priority_view(const balance::EndpointState& state) {
  if (state.priority() == balance::kBackupPriority) return "backup";
  return state.priority();
}

std::size_t available_in(const upstream::EndpointSet& set, TimePoint now) {
  return static_cast<std::size_t>(
      std::ranges::count_if(set.states(), [now](const auto* state) { return state->is_available(now); }));
}

Json queue_view(const upstream::PlaceQueue& queue) {
  const auto options = queue.options();
  return {{"waiting", queue.waiting()},
          {"size", options.size},
          {"timeout_ms", options.timeout.count()},
          {"queued", queue.counts().queued.load()},
          {"refused", queue.counts().refused.load()},
          {"late", queue.counts().late.load()}};
}

Json breaker_view(const upstream::Upstream& upstream, TimePoint now) {
  using Resource = balance::CircuitBreaker::Resource;
  const balance::CircuitBreaker& breaker = upstream.capacity().breaker;
  const auto use = [&](Resource resource) {
    return Json{{"now", breaker.in_use(resource)}, {"max", breaker.max(resource)}};
  };
  Json view{{"state", to_string(breaker.state())},
            {"connections", use(Resource::kConnections)},
            {"pending", use(Resource::kPending)},
            {"requests", {{"now", upstream.peers().in_flight()}, {"max", breaker.max_requests()}}},
            {"retries", use(Resource::kRetries)}};
  if (breaker.state() == balance::CircuitBreaker::State::kOpen) {
    view["open_left_ms"] = std::max<std::int64_t>(std::chrono::ceil<Duration>(breaker.opens_until() - now).count(), 0);
  }
  return view;
}

}  // namespace

std::string iso_time(system_clock::time_point time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::floor<std::chrono::seconds>(time)));
}

std::string unready_reason(const Subject& subject, TimePoint now) {
  if (subject.is_draining()) return "draining";
  const auto& upstreams = subject.serving.upstreams;
  const bool serves =
      upstreams.empty() || std::ranges::any_of(upstreams, [now](const auto& each) { return can_serve(*each, now); });
  return serves ? std::string() : "no upstream has an endpoint that takes requests";
}

Json status_view(const Subject& subject, TimePoint now) {
  const Serving& serving = subject.serving;
  const std::string unready = unready_reason(subject, now);
  const auto uptime = std::chrono::floor<std::chrono::seconds>(system_clock::now() - subject.started);
  Json listeners = Json::array();
  for (const auto& listener : serving.config->listeners) listeners.push_back(listener.name);
  Json status{{"version", subject.version},       {"pid", ::getpid()},          {"started", iso_time(subject.started)},
              {"uptime_seconds", uptime.count()}, {"workers", subject.workers}, {"draining", subject.is_draining()},
              {"ready", unready.empty()}};
  if (!unready.empty()) status["unready_reason"] = unready;
  status["connections"] = {{"open", subject.open_connections()}, {"max", subject.max_connections()}};
  status["configuration"] = {{"revision", serving.revision},
                             {"since", iso_time(serving.since)},
                             {"listeners", std::move(listeners)},
                             {"routes", serving.config->routes.size()},
                             {"upstreams", serving.upstreams.size()}};
  return status;
}

Json endpoint_view(const upstream::Endpoint& endpoint, TimePoint now) {
  const balance::EndpointState& state = endpoint.state;
  Json view{{"address", address_of(endpoint)},
            {"configured", state.name()},
            {"state", to_string(state_of(state, now))},
            {"reasons", reasons(state, now)},
            {"admin_state", balance::to_string(state.admin_state())},
            {"health", balance::to_string(state.health())},
            {"health_reason", state.health_reason()}};
  if (state.is_ejected(now)) {
    view["ejected"] = {{"cause", balance::to_string(state.ejection_cause())},
                       {"left_ms", std::chrono::ceil<Duration>(state.ejected_until() - now).count()}};
  } else {
    view["ejected"] = nullptr;
  }
  view["weight"] = state.weight();
  view["priority"] = priority_view(state);
  view["in_flight"] = state.in_flight();
  view["max_connections"] = state.max_connections();
  if (state.latency().count() == 0) {
    view["latency_ms"] = nullptr;
  } else {
    view["latency_ms"] = milliseconds(state.latency());
  }
  view["counts"] = counts_view(endpoint);
  return view;
}

Json upstream_view(const upstream::Upstream& upstream, TimePoint now) {
  const auto set = upstream.endpoints();
  Json endpoints = Json::array();
  for (const auto& endpoint : set->endpoints()) endpoints.push_back(endpoint_view(*endpoint, now));
  return {{"name", upstream.name()},
          {"policy", balance::to_string(upstream.options().policy.kind)},
          {"available", available_in(*set, now)},
          {"queue", queue_view(upstream.capacity().queue)},
          {"breaker", breaker_view(upstream, now)},
          {"endpoints", std::move(endpoints)}};
}

Json upstreams_view(const Serving& serving, TimePoint now) {
  Json all = Json::array();
  for (const auto& upstream : serving.upstreams) {
    const auto set = upstream->endpoints();
    all.push_back({{"name", upstream->name()},
                   {"policy", balance::to_string(upstream->options().policy.kind)},
                   {"endpoints", set->states().size()},
                   {"available", available_in(*set, now)}});
  }
  return {{"upstreams", std::move(all)}};
}

}  // namespace rproxy::admin
