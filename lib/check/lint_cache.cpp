// Caches that would give one client what was another's.
#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "check/lint_parts.h"
#include "http/fields.h"

namespace rproxy::check {

using config::Node;

namespace {

// The cache's own node, or the route's where it comes from [defaults].
const Node& cache_node(const Node& route) {
  const Node* cache = route.find("cache");
  return cache != nullptr ? *cache : route;
}

const Node& part_of(const Node& cache, const char* outer, const char* key) {
  const Node* table = outer != nullptr && cache.is(Node::Kind::kTable) ? cache.find(outer) : &cache;
  const Node* found = table != nullptr && table->is(Node::Kind::kTable) ? table->find(key) : nullptr;
  return found != nullptr ? *found : cache;
}

bool asks_for(const std::vector<route::ValueMatch>& values, const char* name) {
  return std::ranges::any_of(values, [&](const route::ValueMatch& value) {
    return value.kind != route::ValueMatch::Kind::kAbsent &&
           (name == nullptr || http::equals_ignoring_case(value.name, name));
  });
}

void warn_of_private_match(const Node& cache, const route::Match& match, config::Problems& problems) {
  const char* what = asks_for(match.headers, "authorization") ? "Authorization"
                     : asks_for(match.cookies, nullptr)       ? "a cookie"
                     : !match.client_ips.empty()              ? "the client's address"
                                                              : nullptr;
  if (what == nullptr) return;
  problems.warning("RP2501", cache.at,
                   fmt::format("the route is for clients with {}, and what one of them is given all of them get", what),
                   "cache = false, unless the answers are the same for all of them and say so by public or s-maxage");
}

void warn_of_cookies(const Node& cache, const proxy::CacheOptions& options, config::Problems& problems) {
  if (!options.policy.store_cookies) return;
  problems.warning("RP2502", part_of(cache, nullptr, "store_cookies").at,
                   "a cookie that is set for one client is given to all", "delete store_cookies");
}

void warn_of_hosts(const Node& cache, const proxy::CacheOptions& options, const route::Match& match,
                   config::Problems& problems) {
  const bool is_one = !match.host.empty() && !match.host.starts_with("*");
  if (options.policy.key.host || is_one) return;
  problems.warning("RP2503", part_of(cache, "key", "host").at,
                   "the route is for many hosts, and an answer for one of them is given for all",
                   "delete host = false, or let the route match one host");
}

void warn_of_split(const Node& cache, const proxy::ForwardAction& action, config::Problems& problems) {
  if (!action.split) return;
  problems.warning("RP2504", cache.at, "whichever upstream of the split is asked first answers for all",
                   "cache = false, or a route of its own for each upstream");
}

void warn_of_unused(const config::Loaded& loaded, config::Problems& problems) {
  const Node* section = loaded.tree->find("cache");
  const bool is_used = std::ranges::any_of(loaded.config.routes, [](const config::Route& route) {
    const auto* action = std::get_if<proxy::ForwardAction>(&route.action);
    return action != nullptr && action->cache.enabled;
  });
  if (section == nullptr || is_used) return;
  problems.warning("RP2505", section->at, "no route has a cache: nothing is stored",
                   "cache = true in routes, or in [defaults] for all of them");
}

}  // namespace

void lint_cache(const config::Loaded& loaded, config::Problems& problems) {
  const Node* routes = loaded.tree->find("routes");
  for (std::size_t i = 0; i < loaded.config.routes.size(); ++i) {
    const config::Route& route = loaded.config.routes[i];
    const auto* action = std::get_if<proxy::ForwardAction>(&route.action);
    if (action == nullptr || !action->cache.enabled) continue;
    const Node& cache = cache_node(routes->items[i]);
    warn_of_private_match(cache, route.rule.match, problems);
    warn_of_cookies(cache, action->cache, problems);
    warn_of_hosts(cache, action->cache, route.rule.match, problems);
    warn_of_split(cache, *action, problems);
  }
  warn_of_unused(loaded, problems);
}

}  // namespace rproxy::check
