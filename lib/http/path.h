// Request paths brought to one spelling, so that no other spelling gets round a rule (RFC 3986 6.2.2). What is matched is what is
// forwarded.
#pragma once

#include <string_view>

#include "base/arena.h"
#include "base/result.h"

namespace rproxy::http {

struct PathPolicy {
  enum class Slashes : std::uint8_t { kMerge, kKeep, kReject };
  // "%2F" and "%5C", which many servers read as a slash. kGuard keeps them for normalize_path(); whoever knows the routes then refuses
  // what would lead to another one when decoded.
  enum class EncodedSlash : std::uint8_t { kGuard, kKeep, kDecode, kReject };
  Slashes duplicate_slashes = Slashes::kMerge;
  EncodedSlash encoded_slash = EncodedSlash::kGuard;
};

// `path` begins with '/' and has no query. Decodes escapes of unreserved characters ("%2e" is a dot), upper-cases the others' digits,
// escapes what browsers leave bare though RFC 3986 does not (^ ` { | } [ ]), removes dot segments, treats slashes by policy. Refuses
// (kBadRequest) broken escapes, controls escaped or not, a climb above the root, dot segments with parameters ("..;": some servers
// climb by them), bare non-ASCII and any of space " < > \.
// Returns `path` itself where it was already normal (the usual case: one scan, no copy), else a copy in `arena`. Normalising twice
// changes nothing.
Result<std::string_view> normalize_path(std::string_view path, const PathPolicy& policy, Arena& arena);

}  // namespace rproxy::http
