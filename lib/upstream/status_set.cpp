#include "upstream/status_set.h"

#include <fmt/format.h>

#include <algorithm>

#include "http/characters.h"
#include "http/fields.h"

namespace rproxy::upstream {
namespace {

constexpr std::uint16_t kFirst = 100;
constexpr std::uint16_t kLast = 599;

std::optional<std::uint16_t> parse_status(std::string_view text) {
  if (text.size() != 3) return std::nullopt;
  unsigned status = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    status = status * 10 + static_cast<unsigned>(c - '0');
  }
  if (status < kFirst || status > kLast) return std::nullopt;
  return static_cast<std::uint16_t>(status);
}

}  // namespace

std::optional<StatusSet::Range> StatusSet::parse_range(std::string_view text) {
  if (text.size() == 3 && http::equals_ignoring_case(text.substr(1), "xx") && text[0] >= '1' && text[0] <= '5') {
    const auto first = static_cast<std::uint16_t>((text[0] - '0') * 100);
    return Range{first, static_cast<std::uint16_t>(first + 99)};
  }
  const auto dash = text.find('-');
  const auto first = parse_status(http::trim(text.substr(0, dash)));
  const auto last = dash == std::string_view::npos ? first : parse_status(http::trim(text.substr(dash + 1)));
  if (!first || !last || *last < *first) return std::nullopt;
  return Range{*first, *last};
}

std::optional<StatusSet> StatusSet::parse(std::string_view text) {
  StatusSet set;
  set.ranges_.clear();
  for (;;) {
    const auto comma = text.find(',');
    const auto range = parse_range(http::trim(text.substr(0, comma)));
    if (!range) return std::nullopt;
    set.ranges_.push_back(*range);
    if (comma == std::string_view::npos) return set;
    text.remove_prefix(comma + 1);
  }
}

bool StatusSet::contains(std::uint16_t status) const {
  return std::ranges::any_of(ranges_, [status](const Range& r) { return r.first <= status && status <= r.last; });
}

std::string StatusSet::to_string() const {
  std::string text;
  for (const auto& [first, last] : ranges_) {
    if (!text.empty()) text += ',';
    text += first == last ? fmt::format("{}", first) : fmt::format("{}-{}", first, last);
  }
  return text;
}

}  // namespace rproxy::upstream
