// Cache-Control (RFC 9111 5.2) as it was understood, and CDN-Cache-Control (RFC 9213), which goes over it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "http/fields.h"

namespace rproxy::cache {

// Seconds. What does not fit becomes the greatest (RFC 9111 1.2.2).
constexpr std::int64_t kSecondsMax = 2'147'483'648;

struct RequestDirectives {
  bool no_store = false;
  bool no_cache = false;
  bool only_if_cached = false;
  std::optional<std::int64_t> max_age;
  std::optional<std::int64_t> min_fresh;
  std::optional<std::int64_t> max_stale;  // kSecondsMax where no time is said
  std::optional<std::int64_t> stale_if_error;

  // A lone "Pragma: no-cache" counts as no-cache (RFC 9111 5.4).
  static RequestDirectives of(const http::Fields& fields);
};

struct ResponseDirectives {
  bool no_store = false;
  bool no_cache = false;  // for the whole; else no_cache_fields
  bool is_private = false;
  bool is_public = false;
  bool must_revalidate = false;
  bool proxy_revalidate = false;
  bool must_understand = false;
  bool is_targeted = false;  // of CDN-Cache-Control: Cache-Control and Expires don't count
  std::optional<std::int64_t> max_age;
  std::optional<std::int64_t> s_maxage;
  std::optional<std::int64_t> stale_while_revalidate;
  std::optional<std::int64_t> stale_if_error;
  std::vector<std::string> no_cache_fields;

  // Of a time that is said twice the shorter counts; one that can't be read is 0 (RFC 9111 4.2.1). private="field" is taken as private.
  static ResponseDirectives of(const http::Fields& fields);
};

// A whole number of seconds, quoted or not; nothing where it is anything else.
std::optional<std::int64_t> parse_seconds(std::string_view text);

}  // namespace rproxy::cache
