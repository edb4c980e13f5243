// HTTP dates (RFC 9110 5.6.7).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rproxy::http {

constexpr std::size_t kDateSize = 29;
// Writes "Sun, 06 Nov 1994 08:49:37 GMT"; `seconds` since the epoch, years 1970 to 9999.
void write_date(char* out, std::int64_t seconds);

// Seconds since the epoch of any of the three formats, names in any case; nothing where it is none of them. A year of two digits is the
// last one so written that is not more than 50 years after `now` (RFC 9110 5.6.7).
std::optional<std::int64_t> parse_date(std::string_view text, std::int64_t now);

// A date that moves on, formatted once a second. One per worker.
class DateCache {
 public:
  // Valid until the next call.
  std::string_view at(std::chrono::system_clock::time_point time);

 private:
  std::int64_t second_ = -1;
  std::array<char, kDateSize> text_;
};

}  // namespace rproxy::http
