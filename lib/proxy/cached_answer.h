// What a client is given of a stored answer: all of it, a part, or word that it has it already (RFC 9111 4).
#pragma once

#include <cstdint>
#include <string_view>

#include "cache/entry.h"
#include "exchange/exchange.h"
#include "storage/cache.h"

namespace rproxy::proxy {

// How the answer came about (RFC 9211).
struct CacheOutcome {
  enum class Kind : std::uint8_t { kHit, kStale, kMiss, kValidated, kFailedOver, kPass };
  explicit CacheOutcome(Kind how) : kind(how) {}

  Kind kind;
  std::string_view forwarded;        // why it was asked for: "uri-miss", "stale"...
  std::uint16_t forward_status = 0;  // what came of that
  bool is_stored = false;
  bool is_collapsed = false;       // another request's fetch brought it
  bool keeps_unvalidated = false;  // it has just come: fields that no-cache names may be seen
};

// Says so in Cache-Status; `name` is this cache's, a token.
void tell_status(exchange::Request& request, http::ResponseHead& head, const CacheOutcome& outcome,
                 std::int64_t fresh_for, std::string_view name);

// The request's conditions and ranges are met as far as the entry lets them. Text is in the request's arena, or the entry's, which lives as
// long as the body. `keeper`, which has the entry, outlives the answer.
exchange::Response answer_from(exchange::Request& request, const cache::EntryPtr& entry, const CacheOutcome& outcome,
                               std::int64_t now_ms, storage::Cache& keeper);

// The word for logs and counters: "hit", "stale", "miss", "revalidated", "stale_error", "pass".
std::string_view to_string(CacheOutcome::Kind kind);

}  // namespace rproxy::proxy
