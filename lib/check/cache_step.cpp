#include "check/cache_step.h"

#include <fmt/format.h>

#include "proxy/cache_scope.h"
#include "proxy/cache_visit.h"

namespace rproxy::check {

std::string cache_step(const exchange::Request& request, const proxy::ForwardAction& action) {
  const proxy::CacheConditions conditions(action.cache);
  if (const auto why = conditions.reason_to_pass(request); !why.empty()) {
    if (why == "method") return "passed by: of requests without content, GET and HEAD are answered from it";
    if (why == "bypass") return "passed by: a condition of bypass holds";
    return "passed by: If-Match and If-Unmodified-Since are the upstream's to decide";
  }
  const cache::Key key = proxy::cache_key(request, proxy::cache_scope(action), action.cache);
  return fmt::format("by key {}{}{}", key.text, key.extras,
                     conditions.may_store(request) ? "" : "; a condition of no_store holds: the answer is not stored");
}

}  // namespace rproxy::check
