// The diagnostic log: levelled lines to stderr, written by a thread of their own so that a full pipe never blocks a worker.
#pragma once

#include <fmt/core.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace rproxy {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarn, kError, kOff };
// The words for them, in this order.
inline constexpr std::array<const char*, 5> kLogLevels{"debug", "info", "warn", "error", "off"};

namespace log {

void set_level(LogLevel level);
LogLevel level();
inline bool enabled(LogLevel wanted) { return wanted >= level(); }

// One line: "2026-01-02T03:04:05.678Z warn  message". Never blocks: a line that finds the queue full is dropped and counted, and the
// count is logged when there is room. Control characters in `message` are escaped. Before start() lines are written directly.
void write(LogLevel level, std::string_view message);

// Starts and stops the writer thread; stop() writes what is queued, for at most a second.
void start();
void stop();
std::uint64_t dropped();

template <typename... Args>
void info(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(LogLevel::kInfo)) write(LogLevel::kInfo, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void warn(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(LogLevel::kWarn)) write(LogLevel::kWarn, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void error(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(LogLevel::kError)) write(LogLevel::kError, fmt::format(format, std::forward<Args>(args)...));
}
template <typename... Args>
void debug(fmt::format_string<Args...> format, Args&&... args) {
  if (enabled(LogLevel::kDebug)) write(LogLevel::kDebug, fmt::format(format, std::forward<Args>(args)...));
}

}  // namespace log
}  // namespace rproxy
