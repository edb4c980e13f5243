#include "config/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <tuple>

#include "config/excerpt.h"
#include "config/node.h"
#include "config/text.h"
#include "http/characters.h"

namespace rproxy::config {
namespace {

constexpr std::size_t kWordMax = 64;  // no name that we know is longer
constexpr std::string_view kReset = "\033[0m";

struct Colors {
  std::string_view severity, frame, bold, reset;
};

Colors colors_for(Severity severity, bool color) {
  if (!color) return {};
  return {severity == Severity::kError ? "\033[1;31m" : "\033[1;33m", "\033[1;34m", "\033[1m", kReset};
}

std::string_view line_of(const Diagnostic& diagnostic) {
  const std::size_t line = diagnostic.at.line;
  if (diagnostic.source == nullptr || line == 0 || line > diagnostic.source->lines.size()) return {};
  return diagnostic.source->lines[line - 1];
}

// Levenshtein, with a swap of neighbours as one step.
std::size_t distance(const std::string& a, const std::string& b) {
  std::vector<std::size_t> before_last(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> now(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t k = 1; k <= b.size(); ++k) {
      const std::size_t change = a[i - 1] == b[k - 1] ? 0 : 1;
      now[k] = std::min({last[k] + 1, now[k - 1] + 1, last[k - 1] + change});
      if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
        now[k] = std::min(now[k], before_last[k - 2] + 1);
    }
    before_last.swap(last);
    last.swap(now);
  }
  return last[b.size()];
}

}  // namespace

std::string render(const Diagnostic& diagnostic, bool color) {
  const Colors c = colors_for(diagnostic.severity, color);
  const auto word = diagnostic.severity == Severity::kError ? "error" : "warning";
  std::string out = fmt::format("{}{}[{}]{}{}: {}{}\n", c.severity, word, diagnostic.id, c.reset, c.bold,
                                printable(diagnostic.message), c.reset);
  const std::string file = printable(diagnostic.at.file);
  if (diagnostic.at.line == 0) {
    out += fmt::format("{} --> {}{}\n", c.frame, c.reset, file);
  } else {
    const std::string number = std::to_string(diagnostic.at.line);
    const std::string margin(number.size(), ' ');
    const Excerpt shown = excerpt(line_of(diagnostic), diagnostic.at.column, diagnostic.length);
    out +=
        fmt::format("{}{}--> {}{}:{}:{}\n", margin, c.frame, c.reset, file, diagnostic.at.line, diagnostic.at.column);
    out += fmt::format("{}{} |{} {}\n", c.frame, number, c.reset, shown.line);
    out += fmt::format("{}{} |{} {}{}^{}{}\n", c.frame, margin, c.reset, std::string(shown.caret, ' '), c.severity,
                       std::string(shown.underline - 1, '~'), c.reset);
  }
  if (!diagnostic.remedy.empty()) out += fmt::format("  {}help:{} {}\n", c.bold, c.reset, printable(diagnostic.remedy));
  return out;
}

std::string render(const std::vector<Diagnostic>& diagnostics, bool color) {
  constexpr std::size_t kShownMax = 50;
  const auto is_error = [](const Diagnostic& d) { return d.severity == Severity::kError; };
  const auto errors = static_cast<std::size_t>(std::ranges::count_if(diagnostics, is_error));
  // Warnings don't take the place of errors.
  std::size_t errors_left = std::min(errors, kShownMax);
  std::size_t warnings_left = std::min(diagnostics.size() - errors, kShownMax - errors_left);
  const std::size_t hidden = diagnostics.size() - errors_left - warnings_left;
  std::string out;
  for (const Diagnostic& diagnostic : diagnostics) {
    std::size_t& left = is_error(diagnostic) ? errors_left : warnings_left;
    if (left == 0) continue;
    --left;
    out += render(diagnostic, color) + "\n";
  }
  if (hidden > 0) out += fmt::format("and {} more\n\n", hidden);
  return out;
}

void sort_diagnostics(std::vector<Diagnostic>& diagnostics) {
  const auto key = [](const Diagnostic& d) { return std::tie(d.at, d.id, d.message); };
  std::stable_sort(diagnostics.begin(), diagnostics.end(),
                   [&](const Diagnostic& a, const Diagnostic& b) { return key(a) < key(b); });
  const auto repeated = std::unique(diagnostics.begin(), diagnostics.end(),
                                    [&](const Diagnostic& a, const Diagnostic& b) { return key(a) == key(b); });
  diagnostics.erase(repeated, diagnostics.end());
}

std::string nearest(const std::string& word, const std::vector<std::string>& known) {
  std::string best;
  if (word.size() > kWordMax) return best;
  std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
  for (const std::string& candidate : known) {
    const std::size_t d = distance(word, candidate);
    if (d < best_distance) {
      best = candidate;
      best_distance = d;
    }
  }
  return best;
}

std::string nearest_value(const std::string& word, const std::vector<std::string>& known) {
  constexpr std::size_t kPartMin = 3;
  std::string plain = word;
  for (char& c : plain) c = c == '-' || c == ' ' ? '_' : http::to_lower(c);
  for (const std::string& candidate : known) {
    if (candidate == plain) return candidate;
  }
  for (const std::string& candidate : known) {
    const bool is_longer = candidate.size() >= kPartMin && plain.find(candidate) != std::string::npos;
    if (is_longer || (plain.size() >= kPartMin && candidate.starts_with(plain))) return candidate;
  }
  return nearest(plain, known);
}

}  // namespace rproxy::config
