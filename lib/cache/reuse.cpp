#include "cache/reuse.h"

#include <algorithm>

namespace rproxy::cache {

using Reason = Reuse::Reason;

namespace {

// How long it has been stale; 0: as long as it is fresh, and where it is only taken for stale.
std::int64_t stale_for(const Entry& entry, std::int64_t now_ms) {
  return std::max<std::int64_t>(-entry.fresh_for(now_ms), 0);
}

}  // namespace

std::string_view explain(Reason reason) {
  switch (reason) {
    case Reason::kFresh:
      return "it is fresh (RFC 9111 4.2)";
    case Reason::kClientTakesStale:
      return "it is stale, but the client takes it so (max-stale, RFC 9111 5.2.1.2)";
    case Reason::kWhileRevalidate:
      return "it is stale, but may be served while it is validated (stale-while-revalidate, RFC 5861 3)";
    case Reason::kStale:
      return "it is stale (RFC 9111 4.2)";
    case Reason::kMarkedStale:
      return "it has been purged softly, or its URL has seen another method since (RFC 9111 4.4)";
    case Reason::kNoCache:
      return "no-cache has it validated each time (RFC 9111 5.2.2.4)";
    case Reason::kClientNoCache:
      return "the client wants it validated (no-cache, RFC 9111 5.2.1.4)";
    case Reason::kClientMaxAge:
      return "the client wants it younger (max-age, RFC 9111 5.2.1.1)";
    case Reason::kClientMinFresh:
      return "the client wants it fresh for longer (min-fresh, RFC 9111 5.2.1.3)";
  }
  return {};
}

Reuse reuse_of(const Entry& entry, const RequestDirectives& asked, std::int64_t now_ms) {
  const Meta& meta = entry.meta();
  const std::int64_t age = entry.age(now_ms);
  const std::int64_t fresh_for = meta.freshness.lifetime - age;
  if (meta.no_cache) return {Use::kValidate, Reason::kNoCache};
  if (asked.no_cache) return {Use::kValidate, Reason::kClientNoCache};
  if (asked.max_age && age > *asked.max_age) return {Use::kValidate, Reason::kClientMaxAge};
  if (asked.min_fresh && fresh_for < *asked.min_fresh) return {Use::kValidate, Reason::kClientMinFresh};
  const bool is_marked = entry.is_marked_stale();
  if (fresh_for > 0 && !is_marked) return {Use::kServe, Reason::kFresh};
  const Reason stale = is_marked ? Reason::kMarkedStale : Reason::kStale;
  if (meta.must_revalidate) return {Use::kValidate, stale};
  const std::int64_t since = stale_for(entry, now_ms);
  if (asked.max_stale && !is_marked && since <= *asked.max_stale) return {Use::kServe, Reason::kClientTakesStale};
  if (meta.stale_while_revalidate > 0 && since < meta.stale_while_revalidate) {
    return {Use::kServeWhileValidating, Reason::kWhileRevalidate};
  }
  return {Use::kValidate, stale};
}

bool may_serve_on_error(const Entry& entry, const RequestDirectives& asked, std::int64_t now_ms) {
  const Meta& meta = entry.meta();
  if (meta.must_revalidate || meta.no_cache || asked.no_cache) return false;
  return stale_for(entry, now_ms) < std::max(meta.stale_if_error, asked.stale_if_error.value_or(0));
}

}  // namespace rproxy::cache
