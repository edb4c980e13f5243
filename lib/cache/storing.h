// Whether an answer may be stored by a cache that many clients share (RFC 9111 3), and if not, why.
#pragma once

#include <cstdint>
#include <string_view>

#include "cache/directives.h"
#include "cache/freshness.h"
#include "cache/policy.h"
#include "http/message.h"

namespace rproxy::cache {

enum class StoreVerdict : std::uint8_t {
  kStore,
  kMethod,
  kClientNoStore,
  kNoStore,
  kPrivate,
  kAuthorization,
  kSetCookie,
  kVaryAll,
  kNotUnderstood,
  kNotSaid,  // neither fresh by what it says, nor of a status that may be cached without
  kUseless,  // stale as it comes, or no-cache, and nothing to validate it by
  kPartial,  // a 206 that is not one range of a known whole
  kTooLarge,
};
// "no-store forbids it (RFC 9111 5.2.2.5)"
std::string_view explain(StoreVerdict verdict);

// Whether cookies an answer sets may go to other clients as well.
bool may_share_cookies(const ResponseDirectives& directives, const Policy& policy);

// `request` as the client sent it. The content's size is another matter.
StoreVerdict may_store(const http::RequestHead& request, const RequestDirectives& asked,
                       const http::ResponseHead& response, const ResponseDirectives& directives,
                       const Freshness& freshness, const Policy& policy);

}  // namespace rproxy::cache
