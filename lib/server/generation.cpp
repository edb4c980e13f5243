#include "server/generation.h"

#include <fmt/format.h>

#include <utility>
#include <variant>

#include "net/listener.h"
#include "net/socket_address.h"

namespace rproxy::server {
namespace {

// With its port, and without where that is the default one.
void add_names(std::vector<std::string>& names, const HostPort& address) {
  names.push_back(address.to_string());
  const bool is_v6 = address.host.find(':') != std::string::npos;
  names.push_back(is_v6 ? "[" + address.host + "]" : address.host);
}

// Every way a backend may name itself in a URL or a cookie: as configured, and as that was resolved.
std::vector<std::string> backend_names(const upstream::Upstream& upstream, const std::string& host) {
  const upstream::Options& options = upstream.options();
  std::vector<std::string> names;
  for (const auto& endpoint : options.endpoints) {
    if (endpoint.address.kind != HostPort::Kind::kUnix) add_names(names, endpoint.address);
  }
  for (const auto& endpoint : upstream.endpoints()) {
    const net::Peer peer = net::peer_of(endpoint->address.storage);
    if (!peer.is_unix) add_names(names, {HostPort::Kind::kIp, peer.ip.to_string(), peer.ip, peer.port});
  }
  if (!options.tls.server_name.empty()) names.push_back(options.tls.server_name);
  if (!host.empty()) names.push_back(host);
  return names;
}

}  // namespace

Result<std::shared_ptr<const Generation>> Generation::build(config::Config config, const Generation* previous) {
  std::shared_ptr<Generation> generation(new Generation(std::move(config)));
  if (auto done = generation->build_upstreams(previous); !done) return fail(std::move(done.error()));
  if (auto done = generation->build_routes(); !done) return fail(std::move(done.error()));
  auto tls = TlsMaterial::load(generation->config_, previous != nullptr ? &previous->tls_ : nullptr);
  if (!tls) return fail(std::move(tls.error()));
  generation->tls_ = std::move(*tls);
  return std::shared_ptr<const Generation>(std::move(generation));
}

Result<void> Generation::build_upstreams(const Generation* /*previous*/) {
  for (const auto& options : config_.upstreams) {
    auto made = upstream::Upstream::create(options);
    if (!made) return fail(std::move(made.error()));
    upstream_by_name_.emplace(options.name, upstreams_.size());
    upstreams_.push_back(std::move(*made));
  }
  return {};
}

Result<void> Generation::build_routes() {
  std::vector<route::Rule> rules;
  rules.reserve(config_.routes.size());
  for (const auto& route : config_.routes) rules.push_back(route.rule);
  std::vector<route::RuleProblem> problems;
  router_.emplace(rules, problems);
  for (const auto& problem : problems) {
    if (problem.kind == route::RuleProblem::Kind::kTie) continue;
    return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever,
                fmt::format("route {}: {}", rules[problem.rule].name, problem.detail));
  }
  for (const auto& route : config_.routes) {
    plans_.emplace_back();
    const auto* forward = std::get_if<proxy::ForwardAction>(&route.action);
    if (forward == nullptr) continue;
    auto plan = build_plan(*forward);
    if (!plan) return fail(std::move(plan.error()));
    plans_.back() = std::move(*plan);
  }
  return {};
}

Result<std::unique_ptr<proxy::Proxy::Plan>> Generation::build_plan(const proxy::ForwardAction& action) const {
  auto plan = std::make_unique<proxy::Proxy::Plan>();
  plan->action = action;
  if (!action.rewrite.empty()) {
    std::vector<route::RewriteProblem> problems;
    plan->rewrite = route::Rewrite::compile(action.rewrite, problems);
    if (!problems.empty()) {
      return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever,
                  fmt::format("rewrite: {}: {}", problems[0].key, problems[0].detail));
    }
  }
  if (action.hide_backend) {
    const auto& upstream = *upstreams_[upstream_index(action.upstream)];
    plan->hider.emplace(backend_names(upstream, action.host), action.rewrite.strip_prefix);
  }
  return plan;
}

}  // namespace rproxy::server
