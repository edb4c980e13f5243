// The output of plugins for Nagios: one line, performance data behind '|', and 0 ok, 1 warning, 2 critical, 3 unknown.
#pragma once

#include <string>
#include <string_view>

namespace rproxy::cli::nagios {

enum Level : int { kFine = 0, kWarning = 1, kCritical = 2, kUnknown = 3 };

std::string_view word(Level level);  // "OK", "WARNING"...

// Behind '|' performance data begins, and all is one line.
std::string plain(std::string text);
// A label of performance data.
std::string plain_label(std::string text);

// What is not fine, and how bad it is in all.
struct Findings {
  Level level = kFine;
  std::string text;

  void add(Level found, const std::string& what);
};

// The line of what could not be found out: "HEALTH UNKNOWN - why".
std::string unknown(std::string_view service, const std::string& why);

}  // namespace rproxy::cli::nagios
