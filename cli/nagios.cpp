#include "cli/nagios.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace rproxy::cli::nagios {

std::string_view word(Level level) {
  static constexpr std::string_view kWords[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
  return kWords[level];
}

std::string plain(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '|'; }, ' ');
  return text;
}

std::string plain_label(std::string text) {
  std::ranges::replace_if(
      text, [](char c) { return c == '\'' || c == '='; }, ' ');
  return plain(std::move(text));
}

void Findings::add(Level found, const std::string& what) {
  if (found == kFine) return;
  level = std::max(level, found);
  text += (text.empty() ? "" : "; ") + plain(what);
}

std::string unknown(std::string_view service, const std::string& why) {
  return fmt::format("{} UNKNOWN - {}\n", service, plain(why));
}

}  // namespace rproxy::cli::nagios
