// What request and response heads have in common: finding lines, and reading a field line.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "http/fields.h"
#include "http/message.h"

namespace rproxy::http {

// The next complete line from `offset`, without its CRLF; nothing while it is incomplete. `scanned` remembers how far was searched.
// A bare LF, or a CR elsewhere than before LF, makes `bad`.
std::optional<std::string_view> next_line(std::string_view bytes, std::size_t offset, std::size_t& scanned, bool& bad);

// Adds "name: value" to `fields`; null, or what is wrong with the line (RFC 9112 5).
const char* parse_field_line(std::string_view line, Fields& fields);

// RFC 9110 8.6: digits only; false too when 2^63 or more.
bool parse_content_length(std::string_view text, std::uint64_t& length);

// What the first Content-Length line says; nothing where there is none, or it can't be read.
std::optional<std::uint64_t> declared_length(const Fields& fields);

// Sets head.expect_continue; null, or what is wrong with what is expected (RFC 9110 10.1.1).
const char* read_expectation(RequestHead& head);

// What the framing fields say together, before method and status have their word (RFC 9112 6.3).
struct Framing {
  enum class Fault : std::uint8_t { kNone, kMalformed, kUnknownCoding };
  Fault fault = Fault::kNone;
  const char* reason = nullptr;
  bool chunked = false;
  bool has_length = false;
  std::uint64_t length = 0;
};
Framing read_framing(const Fields& fields, Version version);

// Whether the Upgrade lines ask for protocols, and for none that would carry HTTP past every rule: a tunnel is opaque (RFC 9110 7.8 lets
// a server ignore the wish).
bool wants_upgrade(const Fields& fields);

// RFC 9112 9.3.
bool wants_keep_alive(const Fields& fields, Version version);

// True when any Connection line lists the option.
bool connection_lists(const Fields& fields, std::string_view option);

}  // namespace rproxy::http
