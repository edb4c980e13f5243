// Conditional requests (RFC 9110 13): validators compared, preconditions decided.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "http/fields.h"
#include "http/message.h"

namespace rproxy::http {

// RFC 9110 8.8.3.2, of tags as they are written; a malformed one matches nothing.
bool is_entity_tag(std::string_view tag);
bool is_weak(std::string_view tag);
bool matches_weakly(std::string_view a, std::string_view b);
bool matches_strongly(std::string_view a, std::string_view b);

// What a representation is known by.
struct Validators {
  std::string_view etag;                      // empty: none
  std::optional<std::int64_t> last_modified;  // seconds
};
Validators validators_of(const Fields& response, std::int64_t now);

enum class Precondition : std::uint8_t {
  kHolds,
  kNotModified,  // 304, to GET and HEAD
  kFailed,       // 412
};

// Whether If-None-Match, and without it If-Modified-Since, lets the client keep what it has (RFC 9110 13.1.2, 13.1.3): true then. The
// latter counts for GET and HEAD alone.
bool is_not_modified(const RequestHead& request, const Validators& validators, std::int64_t now);

// All preconditions in their order (RFC 9110 13.2.2), for who holds the representation itself.
Precondition evaluate(const RequestHead& request, const Validators& validators, std::int64_t now);

// Whether a Range is to be obeyed: there is no If-Range, or it names this very representation (RFC 9110 13.1.5). `date`: when the
// representation was sent, which tells whether a date is a strong validator.
bool if_range_holds(const Fields& request, const Validators& validators, std::optional<std::int64_t> date,
                    std::int64_t now);

}  // namespace rproxy::http
