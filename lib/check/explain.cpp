#include "check/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "check/cache_step.h"
#include "check/compression_step.h"
#include "check/conditions.h"
#include "check/hashed_server.h"
#include "check/header_changes.h"
#include "check/losses.h"
#include "check/steps.h"
#include "config/text.h"
#include "exchange/error_page.h"
#include "files/file_server.h"
#include "files/name.h"
#include "http/cookie.h"
#include "http/message.h"
#include "proxy/client_identity.h"
#include "proxy/fixed_answers.h"
#include "proxy/hash_key.h"
#include "proxy/request_head.h"
#include "proxy/response_head.h"
#include "proxy/route_choice.h"
#include "proxy/split.h"
#include "route/rewrite.h"

namespace rproxy::check {
namespace {

constexpr std::size_t kRunnersUpMax = 5;

void answer(Explanation& out, std::uint16_t status, std::string reason) {
  out.status = status;
  out.reason = std::move(reason);
}

void answer(Explanation& out, const Error& error) { answer(out, exchange::status_of(error), error.context); }

// "https (:443)"
std::string listener_text(const config::Listener& listener) {
  const std::string address = listener.listen.address.to_string();
  return listener.name.empty() || listener.name == address ? address : fmt::format("{} ({})", listener.name, address);
}

std::string target_of(const http::RequestHead& head) {
  return fmt::format("{}{}{}", head.path, head.has_query ? "?" : "", head.query);
}

Result<std::string_view> rewritten_path(const exchange::Request& request, const route::RewriteOptions& options,
                                        Explanation& out) {
  const std::string_view before = request.head.path;
  if (options.empty()) return before;
  std::vector<route::RewriteProblem> none;
  auto path = route::Rewrite::compile(options, none)->apply(before, *request.arena);
  if (path) {
    out.steps.push_back(
        {"rewrite", *path == before ? "changes nothing of this path" : fmt::format("{} becomes {}", before, *path)});
  }
  return path;
}

}  // namespace

config::Location location_of(const config::Place& place) {
  return {place.file ? place.file->name : std::string(), place.line, place.column};
}

std::vector<route::Rule> rules_of(const config::Config& config) {
  std::vector<route::Rule> rules;
  rules.reserve(config.routes.size());
  for (const auto& route : config.routes) rules.push_back(route.rule);
  return rules;
}

std::vector<std::string> Explanation::policies() const {
  std::vector<std::string> names;
  for (const Named& step : steps) names.push_back(step.name);
  return names;
}

Explainer::Explainer(const config::Config& config, const route::Router& router, Servers servers)
    : config_(config), router_(router), rules_(rules_of(config)), servers_(std::move(servers)) {}

Explanation Explainer::explain(AskedRequest& asked, Depth depth) const {
  Explanation out;
  if (asked.refusal()) {
    out.client = asked.request().client_ip.to_string();
    if (asked.listener() != nullptr) out.listener = listener_text(*asked.listener());
    answer(out, *asked.refusal());
  } else {
    out = explain(asked.request(), asked.listener(), depth);
  }
  out.request = asked.url();
  return out;
}

Explanation Explainer::explain(exchange::Request& request, const config::Listener* listener, Depth depth) const {
  Explanation out;
  out.request = fmt::format("{} {}://{}{}", request.head.method, request.head.scheme, request.head.authority,
                            target_of(request.head));
  out.path = request.head.path;
  if (listener != nullptr) out.listener = listener_text(*listener);
  proxy::ClientIdentity(config_.forwarding).establish(request);
  out.client = request.client_ip.to_string();
  if (request.from_trusted_proxy)
    out.steps.push_back({"trusted_proxy", request.client->peer.ip.to_string() + " says who the client is"});
  if (listener != nullptr && listener->redirect_https && request.head.scheme != "https") {
    out.steps.push_back({"redirect_https", "this listener leads everything to https"});
    const auto location = proxy::location_by_https(request, listener->redirect_port);
    if (location) out.location = *location;
    answer(out, location ? 308 : 400, location ? "" : "without a Host there is no telling where to");
    return out;
  }
  explain_route(request, depth, out);
  return out;
}

void Explainer::explain_route(exchange::Request& request, Depth depth, Explanation& out) const {
  const auto choice = proxy::choose_route(router_, config_.client.paths, request);
  if (depth == Depth::kWhole) add_runners_up(request, out);
  if (choice.is_disguised) return answer(out, 400, "an encoded slash leads to another route");
  if (!choice.route) return answer(out, 404, "no route matches");
  const config::Route& route = config_.routes[*choice.route];
  out.route = choice.route;
  out.route_name = route.rule.name;
  out.route_at = location_of(route.at);
  out.conditions = conditions_of(route.rule.match);
  auto coding = compression_step(request.head.fields, route.compression);  // by what the client said
  explain_action(request, route, out);
  if (coding) out.steps.push_back({"compress", std::move(*coding)});
}

void Explainer::add_runners_up(exchange::Request& request, Explanation& out) const {
  const auto path = request.head.path;
  if (path == "*") request.head.path = "/";
  const auto explained = rules_.explain(request.head, request.client_ip, kRunnersUpMax);
  for (const route::Loss& loss : explained.runners_up) {
    const config::Route& route = config_.routes[loss.rule];
    out.runners_up.push_back(
        {route.rule.name, location_of(route.at), text_of(loss, route.rule, request.head, request.client_ip)});
  }
  request.head.path = path;
}

void Explainer::explain_action(exchange::Request& request, const config::Route& route, Explanation& out) const {
  if (const auto* redirect = std::get_if<proxy::RedirectAction>(&route.action)) {
    const auto compiled = proxy::LocationTemplate::compile(redirect->location);  // what is filled in views it
    const auto location = compiled->fill(request);
    out.steps.push_back({"redirect", redirect->location});
    if (!location) return answer(out, location.error());
    out.location = *location;
    return answer(out, redirect->status, {});
  }
  if (const auto* respond = std::get_if<proxy::RespondAction>(&route.action)) {
    out.steps.push_back({"respond", respond->body.empty() ? "a page of its own" : config::cut_text(respond->body)});
    for (const auto& [name, value] : respond->headers)
      out.steps.push_back({"header", fmt::format("{}: {}", name, value)});
    return answer(out, respond->status, {});
  }
  if (const auto* files = std::get_if<files::Options>(&route.action)) return explain_files(request, *files, out);
  explain_forward(request, std::get<proxy::ForwardAction>(route.action), out);
}

// Which one is asked for. Whether it is there is the disk's to say, which is not asked.
void Explainer::explain_files(exchange::Request& request, const files::Options& options, Explanation& out) const {
  if (!files::serves_method(request.head.method_id))
    return answer(out, request.head.method_id == http::Method::kOptions ? 204 : 405, "files are there to GET");
  const auto path = rewritten_path(request, options.rewrite, out);
  if (!path) return answer(out, path.error());
  const auto name = files::name_of(*path, options.hidden);
  if (!name) return answer(out, 404, "no file is served by that name");
  const bool is_directory = name->empty() || name->ends_with('/');
  std::string text = fmt::format("{}{}{}", options.root, options.root.ends_with('/') ? "" : "/", *name);
  if (is_directory && !options.index.empty()) text += fmt::format(": {}", fmt::join(options.index, ", "));
  if (is_directory && options.autoindex) text += options.index.empty() ? ": a list" : ", or a list";
  out.steps.push_back({"files", std::move(text)});
  if (!options.fallback.empty()) out.steps.push_back({"fallback", options.fallback + ", where that is not there"});
}

const upstream::Options& Explainer::choose_upstream(exchange::Request& request, const proxy::ForwardAction& action,
                                                    Explanation& out) const {
  std::size_t part = 0;
  if (action.split) {
    const auto& split = *action.split;
    proxy::Split chooser(split, 0);
    const bool has_cookie = split.by == proxy::SplitOptions::By::kCookie &&
                            http::find_cookie(request.head.fields, split.cookie).has_value();
    const auto chosen = chooser.choose(request);
    part = chosen.part;
    const bool is_certain = split.by == proxy::SplitOptions::By::kClientIp || (has_cookie && !chosen.is_new);
    std::uint64_t all = 0;
    for (const auto& each : split.parts) all += each.weight;
    out.steps.push_back(
        {"split", fmt::format("{} gets {} of {}{}", split.parts[part].upstream, split.parts[part].weight, all,
                              is_certain ? ", this client among them" : "; this time it is by chance")});
  }
  const std::string name = action.targets()[part];
  return *std::ranges::find(config_.upstreams, name, &upstream::Options::name);
}

void Explainer::explain_forward(exchange::Request& request, const proxy::ForwardAction& action,
                                Explanation& out) const {
  const auto may_go_on = proxy::count_hop(request);
  if (!may_go_on) return answer(out, may_go_on.error());
  if (!*may_go_on) return answer(out, request.head.method_id == http::Method::kTrace ? 501 : 200, "Max-Forwards is 0");
  const HeaderChanges changes(request);
  if (action.cache.enabled) out.steps.push_back({"cache", cache_step(request, action)});
  const auto& upstream = choose_upstream(request, action, out);
  out.upstream = upstream.name;
  const auto& policy = upstream.policy;
  const std::uint64_t hash = policy.kind == balance::PolicyKind::kHash ? proxy::hash_of(policy.key, request) : 0;
  add_route_steps(action, out.steps);
  proxy::prepare_request_head(request, config_.forwarding);
  if (upstream.sticky) http::remove_cookie(request.head.fields, upstream.sticky->cookie, *request.arena);
  changes.tell(request, out);
  const auto path = rewritten_path(request, action.rewrite, out);
  if (!path) return answer(out, path.error());
  request.head.path = *path;
  if (!action.host.empty()) request.head.authority = action.host;
  out.rewritten = target_of(request.head);
  out.host = request.head.authority;
  add_upstream_steps(upstream, out.steps);
  if (const auto server = server_by_hash(upstream, hash)) {
    auto& balance = *std::ranges::find(out.steps, "balance", &Explanation::Named::name);
    balance.value += fmt::format(": while all serve, it is {}", *server);
  }
  out.servers = servers_(upstream);
  if (action.hide_backend) {
    out.steps.push_back({"hide_backend", "Location, Refresh and cookies that name a server name this host"});
    out.withheld = proxy::BackendHider::field_names();
  }
  if (action.proxy_status) out.steps.push_back({"proxy_status", "the answer has Proxy-Status"});
}

std::vector<Explanation::Server> Explainer::servers_of(const upstream::Options& upstream) {
  std::vector<Explanation::Server> servers;
  for (const auto& endpoint : upstream.endpoints) {
    std::string state = fmt::format("weight {}", endpoint.weight);
    if (endpoint.priority == balance::kBackupPriority) {
      state += ", backup";
    } else if (endpoint.priority != 0) {
      state += fmt::format(", priority {}", endpoint.priority);
    }
    if (endpoint.max_connections != 0) state += fmt::format(", at most {} requests", endpoint.max_connections);
    if (endpoint.address.kind == HostPort::Kind::kName) state += ", by DNS";
    servers.push_back({endpoint.address.to_string(), std::move(state)});
  }
  for (const auto& source : upstream.sources) {
    const bool is_file = source.kind == upstream::ServerSource::Kind::kFile;
    servers.push_back({(is_file ? "file:" : "srv:") + source.name, "lists servers"});
  }
  return servers;
}

}  // namespace rproxy::check
