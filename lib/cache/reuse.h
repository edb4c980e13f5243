// Whether a stored answer may be given without asking (RFC 9111 4, 5.2.1), and why.
#pragma once

#include <cstdint>
#include <string_view>

#include "cache/directives.h"
#include "cache/entry.h"

namespace rproxy::cache {

enum class Use : std::uint8_t {
  kServe,                 // as it is
  kServeWhileValidating,  // stale, and validated meanwhile (RFC 5861 3)
  kValidate,              // not before it has been validated
};

struct Reuse {
  enum class Reason : std::uint8_t {
    kFresh,
    kClientTakesStale,  // max-stale
    kWhileRevalidate,
    kStale,
    kMarkedStale,
    kNoCache,
    kClientNoCache,
    kClientMaxAge,
    kClientMinFresh,
  };
  Use use = Use::kValidate;
  Reason reason = Reason::kStale;
};
// "the client wants it younger (max-age, RFC 9111 5.2.1.1)"
std::string_view explain(Reuse::Reason reason);

Reuse reuse_of(const Entry& entry, const RequestDirectives& asked, std::int64_t now_ms);

// Whether it may be given though it is stale, because the upstream fails (RFC 5861 4).
bool may_serve_on_error(const Entry& entry, const RequestDirectives& asked, std::int64_t now_ms);

}  // namespace rproxy::cache
