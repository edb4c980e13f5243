#include "server/generation.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <variant>

#include "base/log.h"
#include "config/server_file.h"
#include "net/listener.h"
#include "net/socket_address.h"
#include "server/sockets.h"
#include "upstream/first_look.h"

namespace rproxy::server {
namespace {

// What else a backend may call itself, besides what its endpoints are called.
std::vector<std::string> other_names(const upstream::Options& upstream, const std::string& host) {
  std::vector<std::string> names;
  if (!upstream.tls.server_name.empty()) names.push_back(upstream.tls.server_name);
  if (!host.empty()) names.push_back(host);
  return names;
}

std::shared_ptr<const metrics::Catalogue> make_catalogue(const config::Config& config,
                                                         const metrics::Catalogue* previous) {
  std::vector<std::string> routes;
  for (const auto& route : config.routes) routes.push_back(route.rule.name);
  std::vector<std::string> listeners;
  for (const auto& listener : config.listeners) listeners.push_back(listener.name);
  return std::make_shared<const metrics::Catalogue>(routes, listeners, previous);
}

// With what is known of them just now.
std::vector<check::Explanation::Server> servers_of(const upstream::Upstream& upstream) {
  std::vector<check::Explanation::Server> servers;
  const TimePoint now = Clock::now();
  for (const auto& endpoint : upstream.endpoints()->endpoints()) {
    const balance::EndpointState& state = endpoint->state;
    std::string text = fmt::format("weight {}, ", state.weight());
    if (state.admin_state() != balance::AdminState::kEnabled) {
      text += to_string(state.admin_state());
    } else if (state.is_ejected(now)) {
      text += "ejected";
    } else if (state.is_available(now)) {
      text += "available";
    } else {
      text += fmt::format("not available: {}", to_string(state.health()));
    }
    text += fmt::format(", {} under way", state.in_flight());
    servers.push_back({state.name(), std::move(text)});
  }
  return servers;
}

bool has_cache(const config::Config& config) {
  return std::ranges::any_of(config.routes, [](const config::Route& route) {
    const auto* forward = std::get_if<proxy::ForwardAction>(&route.action);
    return forward != nullptr && forward->cache.enabled;
  });
}

// The same directory can't be opened twice.
Result<std::shared_ptr<storage::DiskStore>> open_disk(const storage::Options& options, storage::Cache* previous) {
  if (!options.disk) return nullptr;
  auto same = previous != nullptr ? previous->share_disk() : nullptr;
  if (same != nullptr && same->path() == options.disk->path) {
    same->set_limits(*options.disk);
    return same;
  }
  auto opened = storage::DiskStore::open(*options.disk);
  if (!opened) {
    Error error = std::move(opened.error());
    error.context = "[cache.disk] " + error.context;
    return fail(std::move(error));
  }
  return std::shared_ptr<storage::DiskStore>(std::move(*opened));
}

// What is stored outlives a reload; in memory, unless there is to be more or less room for it.
Result<std::shared_ptr<storage::Cache>> make_cache(const config::Config& config,
                                                   const std::shared_ptr<storage::Cache>& previous) {
  if (!has_cache(config)) return nullptr;
  if (previous != nullptr && previous->options() == config.cache) return previous;
  auto disk = open_disk(config.cache, previous.get());
  if (!disk) return fail(std::move(disk.error()));
  if (previous != nullptr) log::info("[cache] has changed: it begins empty in memory");
  return std::make_shared<storage::Cache>(config.cache, std::move(*disk));
}

Result<std::optional<route::Rewrite>> compile_rewrite(const route::RewriteOptions& options) {
  if (options.empty()) return std::optional<route::Rewrite>();
  std::vector<route::RewriteProblem> problems;
  auto compiled = route::Rewrite::compile(options, problems);
  if (problems.empty()) return compiled;
  return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever,
              fmt::format("rewrite: {}: {}", problems[0].key, problems[0].detail));
}

// Names and lists are looked for before anything is served, so that the first requests find their servers; but not for long, unless there
// is to be none without them.
Result<void> look_for_servers(const config::Config& config, std::vector<upstream::DiscoverySources>& known) {
  constexpr Duration kUsually{5'000};
  constexpr Duration kWhereRequired{30'000};
  std::vector<const upstream::Options*> upstreams;
  bool is_required = false;
  for (const auto& options : config.upstreams) {
    upstreams.push_back(&options);
    is_required = is_required || options.discovery.required;
  }
  known = upstream::look_once(upstreams, config.resolver, config::parse_server_file, known,
                              is_required ? kWhereRequired : kUsually);
  for (std::size_t i = 0; i < known.size(); ++i) {
    const std::string missing = upstream::missing_of(known[i]);
    if (missing.empty() || !upstreams[i]->discovery.required) continue;
    return fail(ErrorCode::kResolveFailed, Side::kLocal, Retry::kNever,
                fmt::format("upstream {}: {}", upstreams[i]->name, missing));
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Generation>> Generation::build(config::Config config, const Generation* previous) {
  std::shared_ptr<Generation> generation(new Generation(std::move(config)));
  if (auto done = generation->build_upstreams(previous); !done) return fail(std::move(done.error()));
  if (auto done = generation->build_routes(); !done) return fail(std::move(done.error()));
  if (auto done = generation->build_file_plans(previous); !done) return fail(std::move(done.error()));
  generation->build_explainer();
  auto tls = TlsMaterial::load(generation->config_, previous != nullptr ? &previous->tls_ : nullptr);
  if (!tls) return fail(std::move(tls.error()));
  generation->tls_ = std::move(*tls);
  generation->catalogue_ =
      make_catalogue(generation->config_, previous != nullptr ? previous->catalogue_.get() : nullptr);
  auto cache = make_cache(generation->config_, previous != nullptr ? previous->cache_ : nullptr);
  if (!cache) return fail(std::move(cache.error()));
  generation->cache_ = std::move(*cache);
  const ByteSize room = generation->config_.compression.dictionaries;
  const bool is_same = previous != nullptr && previous->config_.compression.dictionaries == room;
  generation->dictionaries_ = is_same ? previous->dictionaries_ : std::make_shared<filter::Dictionaries>(room);
  generation->forms_memory_ = previous != nullptr ? previous->forms_memory_ : std::make_shared<codec::Tally>();
  return std::shared_ptr<const Generation>(std::move(generation));
}

Result<void> Generation::build_upstreams(const Generation* previous) {
  const auto before = [&](const std::string& name) {
    return previous != nullptr ? previous->find_upstream(name) : nullptr;
  };
  std::vector<upstream::DiscoverySources> known;
  for (const auto& options : config_.upstreams) {
    const upstream::Upstream* const same = before(options.name);
    known.push_back(same != nullptr ? same->known() : upstream::DiscoverySources());
  }
  if (auto done = look_for_servers(config_, known); !done) return done;
  for (const auto& options : config_.upstreams) {
    auto made = upstream::Upstream::create(options, before(options.name), std::move(known[upstreams_.size()]));
    if (!made) return fail(std::move(made.error()));
    upstream_by_name_.emplace(options.name, upstreams_.size());
    upstreams_.push_back(std::move(*made));
  }
  return {};
}

void Generation::take_over() const {
  for (const auto& upstream : upstreams_) upstream->take_over();
}

const upstream::Upstream* Generation::find_upstream(const std::string& name) const {
  const auto found = upstream_by_name_.find(name);
  return found != upstream_by_name_.end() ? upstreams_[found->second].get() : nullptr;
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

// The threads go on where there were some: what waits for them is of no configuration.
Result<void> Generation::build_file_plans(const Generation* previous) {
  for (const auto& route : config_.routes) {
    file_plans_.emplace_back();
    const auto* options = std::get_if<files::Options>(&route.action);
    if (options == nullptr) continue;
    if (shared_files_ == nullptr && previous != nullptr) shared_files_ = previous->shared_files_;
    if (shared_files_ == nullptr)
      shared_files_ = std::make_shared<files::Shared>(files::Shared::held_of(raise_descriptor_limit()));
    auto rewrite = compile_rewrite(options->rewrite);
    if (!rewrite) return fail(std::move(rewrite.error()));
    auto root = files::Root::open(options->root, options->symlinks);
    if (!root) return fail(std::move(root.error()));
    file_plans_.back() = std::make_unique<files::FileServer::Plan>(
        files::FileServer::Plan{*options, std::move(*rewrite), std::move(*root), shared_files_});
  }
  return {};
}

void Generation::build_explainer() {
  if (config_.explain.allow.empty()) return;
  explainer_ = std::make_unique<const check::Explainer>(
      config_, *router_, [this](const upstream::Options& options) { return servers_of(*find_upstream(options.name)); });
}

Result<std::unique_ptr<proxy::Proxy::Plan>> Generation::build_plan(const proxy::ForwardAction& action) const {
  auto plan = std::make_unique<proxy::Proxy::Plan>();
  plan->action = action;
  auto rewrite = compile_rewrite(action.rewrite);
  if (!rewrite) return fail(std::move(rewrite.error()));
  plan->rewrite = std::move(*rewrite);
  if (action.hide_backend) {
    for (const auto& name : action.targets()) {
      const auto& upstream = upstreams_[upstream_index(name)];
      plan->hiders.emplace_back(other_names(upstream->options(), action.host), upstream, action.rewrite.strip_prefix);
    }
  }
  return plan;
}

}  // namespace rproxy::server
