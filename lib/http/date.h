// HTTP dates (RFC 9110 5.6.7).
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace rproxy::http {

constexpr std::size_t kDateSize = 29;
// Writes "Sun, 06 Nov 1994 08:49:37 GMT"; `seconds` since the epoch, years 1970 to 9999.
void write_date(char* out, std::int64_t seconds);

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
