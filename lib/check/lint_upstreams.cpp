#include <fmt/format.h>

#include <map>

#include "check/lint_parts.h"
#include "config/text.h"
#include "config/values.h"

namespace rproxy::check {

using config::Node;

namespace {

void warn_of_no_health_check(const config::Member& member, const upstream::Options& options,
                             config::Problems& problems) {
  const bool may_be_many = options.endpoints.size() > 1 || !options.sources.empty();
  if (options.health || !may_be_many) return;
  problems.warning("RP2101", member.at,
                   fmt::format("upstream {} has several servers and no health check: one that is down is found out by "
                               "requests that fail",
                               config::cut_text(member.key)),
                   "health = \"/healthz\", or whatever path says that a server can serve");
}

// Where `key` of `table` is written, or the table.
const config::Place& place_of(const Node* table, const char* key, const config::Place& otherwise) {
  const Node* node = table != nullptr && table->is(Node::Kind::kTable) ? table->find(key) : nullptr;
  return node != nullptr ? node->at : otherwise;
}

// A check that takes longer than from one to the next is as good as more checks at once, of a server that is slow already.
void warn_of_check_time(const config::Member& member, const upstream::Options& options, config::Problems& problems) {
  if (!options.health || options.health->timeout <= options.health->interval) return;
  problems.warning(
      "RP2102", place_of(member.value.find("health"), "timeout", member.at),
      fmt::format("a health check may take longer ({}) than it is from one to the next ({})",
                  config::render_value(options.health->timeout), config::render_value(options.health->interval)),
      "make timeout shorter than interval");
}

// The time for a whole request, which ends before a server that does not answer is given up for another.
void warn_of_request_time(const Node& route, const proxy::ForwardAction& action, const upstream::Options& upstream,
                          config::Problems& problems) {
  const Duration all = action.request_timeout;
  if (all.count() == 0 || upstream.connect_timeout.count() == 0 || all > upstream.connect_timeout) return;
  problems.warning(
      "RP2102", place_of(&route, "request_timeout", route.at),
      fmt::format("request_timeout ({}) is over before connect_timeout ({}) of upstream {} gives up a server",
                  config::render_value(all), config::render_value(upstream.connect_timeout),
                  config::cut_text(upstream.name)),
      "make connect_timeout a fraction of it, so that there is time for another server");
}

void warn_of_try_time(const config::Member& member, const upstream::Options& options, config::Problems& problems) {
  const Duration each = options.retry.per_try_timeout;
  const Duration all = options.response_timeout;
  if (each.count() == 0 || all.count() == 0 || each < all) return;
  problems.warning("RP2102", place_of(member.value.find("retry"), "per_try_timeout", member.at),
                   fmt::format("per_try_timeout is no shorter than response_timeout ({}), which ends an attempt first",
                               config::render_value(all)),
                   "make per_try_timeout a fraction of response_timeout, or delete it");
}

}  // namespace

void lint_upstreams(const config::Loaded& loaded, config::Problems& problems) {
  const Node* table = loaded.tree->find("upstreams");
  if (table == nullptr) return;
  for (std::size_t i = 0; i < loaded.config.upstreams.size(); ++i) {
    warn_of_no_health_check(table->members[i], loaded.config.upstreams[i], problems);
    warn_of_try_time(table->members[i], loaded.config.upstreams[i], problems);
    warn_of_check_time(table->members[i], loaded.config.upstreams[i], problems);
  }
  std::map<std::string_view, const upstream::Options*> by_name;
  for (const auto& upstream : loaded.config.upstreams) by_name.emplace(upstream.name, &upstream);
  for (std::size_t i = 0; i < loaded.config.routes.size(); ++i) {
    const auto* forward = std::get_if<proxy::ForwardAction>(&loaded.config.routes[i].action);
    if (forward == nullptr || forward->request_timeout.count() == 0) continue;
    const Node& node = loaded.tree->find("routes")->items[i];
    for (const auto& target : forward->targets()) warn_of_request_time(node, *forward, *by_name.at(target), problems);
  }
}

}  // namespace rproxy::check
