#include <fmt/format.h>

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

void warn_of_try_time(const config::Member& member, const upstream::Options& options, config::Problems& problems) {
  const Duration each = options.retry.per_try_timeout;
  const Duration all = options.response_timeout;
  if (each.count() == 0 || all.count() == 0 || each < all) return;
  const Node* retry = member.value.find("retry");
  const Node* written = retry != nullptr ? retry->find("per_try_timeout") : nullptr;
  problems.warning("RP2102", written != nullptr ? written->at : member.at,
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
  }
}

}  // namespace rproxy::check
