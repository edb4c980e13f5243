#include "cli/diagnostics.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace rproxy::cli {
namespace {

std::string count_of(std::size_t count, std::string_view word) {
  return fmt::format("{} {}{}", count, word, count == 1 ? "" : "s");
}

}  // namespace

bool use_color(int descriptor) {
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && ::isatty(descriptor) == 1;
}

std::string count_diagnostics(const std::vector<config::Diagnostic>& diagnostics) {
  const auto errors = static_cast<std::size_t>(
      std::ranges::count(diagnostics, config::Severity::kError, &config::Diagnostic::severity));
  const std::size_t warnings = diagnostics.size() - errors;
  if (errors > 0) return fmt::format("{}, {}", count_of(errors, "error"), count_of(warnings, "warning"));
  return warnings > 0 ? count_of(warnings, "warning") : "";
}

void print_diagnostics(const config::Loaded& loaded, const std::string& path) {
  fmt::print(stderr, "{}", config::render(loaded.diagnostics, use_color(STDERR_FILENO)));
  if (!loaded.diagnostics.empty()) fmt::print(stderr, "{}: {}\n", path, count_diagnostics(loaded.diagnostics));
}

}  // namespace rproxy::cli
