// Durations, byte sizes and rates as an operator writes them ("5s", "64KiB", "50/s").
#pragma once

#include <chrono>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rproxy {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = std::chrono::milliseconds;  // 0 means "no limit" wherever an option allows it

struct ByteSize {
  std::uint64_t bytes = 0;
  auto operator<=>(const ByteSize&) const = default;
};

struct Rate {
  std::uint64_t count = 0;
  Duration per{1000};
  auto operator<=>(const Rate&) const = default;
};

constexpr ByteSize operator""_KiB(unsigned long long n) { return ByteSize{n * 1024}; }
constexpr ByteSize operator""_MiB(unsigned long long n) { return ByteSize{n * 1024 * 1024}; }

// Accepts "250ms", "5s", "10m", "2h", "1d", "1w" and sums such as "1m30s"; nothing without a unit but "0".
// Returns nothing for malformed or overflowing text.
std::optional<Duration> parse_duration(std::string_view text);

// Accepts "512", "512B", "64KiB", "10MiB", "1GiB" and the decimal "kB", "MB", "GB".
std::optional<ByteSize> parse_byte_size(std::string_view text);

// Accepts "50/s", "100/m", "1000/h", "5/10s".
std::optional<Rate> parse_rate(std::string_view text);

// The shortest exact spelling that the parsers above accept.
std::string to_string(Duration value);
std::string to_string(ByteSize value);
std::string to_string(Rate value);

}  // namespace rproxy
