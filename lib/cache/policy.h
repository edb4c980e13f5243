// What an operator decides of a route's cache, beside what answers say of themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.h"

namespace rproxy::cache {

// What makes two requests the same, beside method and upstream.
struct KeyOptions {
  enum class Query : std::uint8_t { kAll, kSorted, kOnly, kExcept, kNone };
  bool scheme = true;
  bool host = true;
  Query query = Query::kAll;
  std::vector<std::string> parameters;  // of kOnly and kExcept
  std::vector<std::string> headers;
  std::vector<std::string> cookies;
  bool operator==(const KeyOptions&) const = default;
};

struct Policy {
  std::optional<Duration> ttl;           // good answers are fresh for so long, whatever they say
  std::optional<Duration> default_ttl;   // where they don't say; nothing: a tenth of their age (RFC 9111 4.2.2)
  std::optional<Duration> negative_ttl;  // 404, 405, 410, 414, 501 where they don't say
  std::optional<Duration> ttl_max;       // fresh no longer than that
  std::optional<Duration> grace;         // stale-while-revalidate where answers don't say
  std::optional<Duration> stale_if_error;
  std::uint32_t min_uses = 1;  // stored from that request on
  ByteSize object_max{0};      // larger ones are not stored; 0: as large as the store takes
  bool client_control = true;  // the client's Cache-Control counts
  bool store_cookies = false;  // answers with Set-Cookie that are not public
  KeyOptions key;
  bool operator==(const Policy&) const = default;
};

}  // namespace rproxy::cache
