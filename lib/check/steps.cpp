#include "check/steps.h"

#include <fmt/format.h>

#include <algorithm>

namespace rproxy::check {
namespace {

using Steps = std::vector<Explanation::Named>;

std::string text_of_queue(upstream::QueuePriority priority) {
  switch (priority) {
    case upstream::QueuePriority::kHigh:
      return ", before others";
    case upstream::QueuePriority::kLow:
      return ", after others";
    case upstream::QueuePriority::kNormal:
      break;
  }
  return {};
}

std::string text_of_limits(const balance::LimitOptions& limits) {
  std::string text;
  const auto add = [&text](std::uint32_t most, std::string_view what) {
    if (most != 0) text += fmt::format("{}{} {}", text.empty() ? "at most " : ", ", most, what);
  };
  add(limits.max_requests, "requests");
  add(limits.max_connections, "connections");
  add(limits.max_pending, "waiting");
  add(limits.max_retries, "retries");
  if (limits.error_percent != 0)
    text += fmt::format("{}refused while {}% fail", text.empty() ? "" : ", ", limits.error_percent);
  return text;
}

std::string text_of_balance(const balance::PolicyOptions& policy) {
  std::string text(to_string(policy.kind));
  if (policy.kind == balance::PolicyKind::kHash) text += " of " + to_string(policy.key);
  return text;
}

std::string text_of_retry(const upstream::RetryOptions& retry) {
  std::string methods = "idempotent methods";
  if (!retry.methods.empty()) methods = fmt::format("{}", fmt::join(retry.methods, ", "));
  std::string text =
      fmt::format("up to {} attempts, {}, {}% of requests", retry.attempts, methods, retry.budget_percent);
  if (retry.per_try_timeout.count() != 0) text += ", each within " + to_string(retry.per_try_timeout);
  return text;
}

std::string text_of_hedge(const upstream::HedgeOptions& hedge) {
  if (hedge.after.count() != 0) return "a second attempt beside the first after " + to_string(hedge.after);
  return fmt::format("a second attempt beside one that is slower than {}% are", hedge.quantile * 100);
}

bool may_wait(const upstream::Options& upstream) {
  const auto is_limited = [](const balance::EndpointOptions& endpoint) { return endpoint.max_connections != 0; };
  return upstream.queue.size != 0 && (upstream.limits.max_requests != 0 || upstream.limits.max_connections != 0 ||
                                      std::ranges::any_of(upstream.endpoints, is_limited));
}

}  // namespace

void add_route_steps(const proxy::ForwardAction& action, Steps& steps) {
  if (action.grpc_web) steps.push_back({"grpc_web", "requests of gRPC-Web become gRPC"});
  if (action.request_timeout.count() != 0)
    steps.push_back({"request_timeout", to_string(action.request_timeout) + ", for all of it"});
  if (action.queue_priority != upstream::QueuePriority::kNormal)
    steps.push_back({"queue_priority", "where it has to wait" + text_of_queue(action.queue_priority)});
  if (action.mirror)
    steps.push_back({"mirror", fmt::format("{}% are copied to {}", action.mirror->percent, action.mirror->upstream)});
}

void add_upstream_steps(const upstream::Options& upstream, Steps& steps) {
  if (upstream.sticky) steps.push_back({"sticky", "a client stays at its server by cookie " + upstream.sticky->cookie});
  if (const auto text = text_of_limits(upstream.limits); !text.empty()) steps.push_back({"limits", text});
  steps.push_back({"balance", text_of_balance(upstream.policy)});
  if (may_wait(upstream))
    steps.push_back(
        {"queue", fmt::format("{} wait for at most {}", upstream.queue.size, to_string(upstream.queue.timeout))});
  if (upstream.proxy_protocol != upstream::ProxyProtocol::kOff)
    steps.push_back({"proxy_protocol", upstream.proxy_protocol == upstream::ProxyProtocol::kV1 ? "v1" : "v2"});
  if (upstream.tls.enabled)
    steps.push_back({"tls", upstream.tls.verify ? "the server proves who it is" : "whoever the server is"});
  steps.push_back({"timeouts", fmt::format("connect {}, response {}, body {}", to_string(upstream.connect_timeout),
                                           to_string(upstream.response_timeout), to_string(upstream.body_timeout))});
  if (upstream.retry.attempts > 1) steps.push_back({"retry", text_of_retry(upstream.retry)});
  if (upstream.retry.hedge) steps.push_back({"hedge", text_of_hedge(*upstream.retry.hedge)});
}

}  // namespace rproxy::check
