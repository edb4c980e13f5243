// How long an answer is fresh and how old it is (RFC 9111 4.2). All times in seconds; wall-clock times since the epoch.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "cache/directives.h"
#include "cache/policy.h"
#include "http/fields.h"

namespace rproxy::cache {

// RFC 9110 15.1.
bool is_heuristically_cacheable(std::uint16_t status);

struct Freshness {
  enum class Source : std::uint8_t { kNone, kPolicy, kSMaxAge, kMaxAge, kExpires, kDefault, kHeuristic };
  Source source = Source::kNone;
  std::int64_t lifetime = 0;
};
std::string_view to_string(Freshness::Source source);  // "s-maxage"

// `received`: when the answer came.
Freshness freshness_of(std::uint16_t status, const http::Fields& fields, const ResponseDirectives& directives,
                       const Policy& policy, std::int64_t received);

// corrected_initial_age (RFC 9111 4.2.3).
std::int64_t initial_age(const http::Fields& fields, std::int64_t requested, std::int64_t received);

}  // namespace rproxy::cache
