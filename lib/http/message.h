// The heads of messages, whichever HTTP version carried them. All text is views: see fields.h for who owns the bytes.
#pragma once

#include <cstdint>
#include <string_view>

#include "http/fields.h"

namespace rproxy::http {

enum class Version : std::uint8_t { kHttp10, kHttp11, kHttp2, kHttp3 };
std::string_view to_string(Version version);  // "HTTP/1.1"

enum class Method : std::uint8_t { kOther, kGet, kHead, kPost, kPut, kDelete, kConnect, kOptions, kTrace, kPatch };
Method method_id(std::string_view name);  // case matters (RFC 9110 9.1)
bool is_safe(Method method);              // RFC 9110 9.2.1
bool is_idempotent(Method method);        // RFC 9110 9.2.2; kOther is not

// How a message's content ends (RFC 9112 6.3). HTTP/2 and /3 map END_STREAM to these.
struct BodyLength {
  enum class Kind : std::uint8_t { kNone, kFixed, kChunked, kUntilClose };
  Kind kind = Kind::kNone;
  std::uint64_t bytes = 0;  // kFixed only
};

struct RequestHead {
  std::string_view method;
  std::string_view target;     // as received, for logs
  std::string_view scheme;     // "http" or "https"; set by the listener, never believed from the target
  std::string_view authority;  // host[:port] from the target or Host, validated, as received
  std::string_view host;       // authority without port and trailing dot, lower case, IPv6 with brackets
  std::string_view path;       // normalised, begins with '/'; "*" for OPTIONS *
  std::string_view query;      // without '?'
  bool has_query = false;      // "/a?" and "/a" are two targets
  Method method_id = Method::kOther;
  Version version = Version::kHttp11;
  BodyLength body;
  bool keep_alive = true;        // RFC 9112 9.3
  bool expect_continue = false;  // RFC 9110 10.1.1, HTTP/1.1 only
  bool upgrade = false;          // Connection lists "upgrade" and an Upgrade field asks for what may be had
  bool drops_trailers = false;   // Connection names fields of this hop, which trailers might be
  // TE lists "trailers" (RFC 9110 10.1.4); the field itself ends at this hop.
  bool accepts_trailers = false;
  Fields fields;
};

struct ResponseHead {
  std::uint16_t status = 200;
  std::string_view reason;  // empty: the standard phrase
  Version version = Version::kHttp11;
  BodyLength body;
  bool keep_alive = true;
  bool drops_trailers = false;
  Fields fields;
};

// Whether an answer of that status to such a request has content at all (RFC 9110 6.4.1).
bool may_have_content(Method request_method, std::uint16_t status);

std::string_view reason_phrase(std::uint16_t status);  // "Not Found"; "" where unknown

}  // namespace rproxy::http
