// Times of day as ACME has them, in text and back. Time is an argument everywhere else.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace rproxy::acme {

using WallTime = std::chrono::system_clock::time_point;

// RFC 3339: "2026-11-27T10:00:00Z", with fractions and offsets; those are taken to the second.
std::optional<WallTime> parse_time(std::string_view text);
// "2026-11-27T10:00:00Z".
std::string to_text(WallTime time);

// By the clock that people set.
inline WallTime now() { return std::chrono::system_clock::now(); }

}  // namespace rproxy::acme
