#include "cli/diagnostics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace rproxy::cli {
namespace {

bool use_color() {
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && ::isatty(STDERR_FILENO) == 1;
}

std::string count_of(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

}  // namespace

void print_diagnostics(const config::Loaded& loaded, const std::string& path) {
  const bool color = use_color();
  fmt::print(stderr, "{}", config::render(loaded.diagnostics, color));
  const auto errors = static_cast<std::size_t>(
      std::ranges::count(loaded.diagnostics, config::Severity::kError, &config::Diagnostic::severity));
  const std::size_t warnings = loaded.diagnostics.size() - errors;
  if (errors > 0) {
    fmt::print(stderr, "{}: {}, {}\n", path, count_of(errors, "error"), count_of(warnings, "warning"));
  } else if (warnings > 0) {
    fmt::print(stderr, "{}: {}\n", path, count_of(warnings, "warning"));
  }
}

}  // namespace rproxy::cli
