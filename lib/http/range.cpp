#include "http/range.h"

#include <fmt/format.h>

#include <charconv>

#include "http/characters.h"
#include "http/fields.h"

namespace rproxy::http {
namespace {

constexpr std::string_view kUnit = "bytes";

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || end != text.data() + text.size() || error != std::errc()) return std::nullopt;
  return value;
}

// Digits beyond what we can count are a position behind any end.
std::optional<std::uint64_t> position(std::string_view text) {
  constexpr std::uint64_t kFar = std::uint64_t{1} << 62;
  if (text.empty()) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
  }
  return std::min(number(text).value_or(kFar), kFar);
}

// "5-9", "5-", "-5".
std::optional<RangeSpec> read_spec(std::string_view text) {
  const auto dash = text.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto before = trim(text.substr(0, dash));
  const auto after = trim(text.substr(dash + 1));
  RangeSpec spec{position(before), position(after)};
  const bool is_read = (before.empty() || spec.first) && (after.empty() || spec.last);
  if (!is_read || (!spec.first && !spec.last)) return std::nullopt;
  if (spec.first && spec.last && *spec.last < *spec.first) return std::nullopt;
  return spec;
}

std::optional<ByteRange> within(const RangeSpec& spec, std::uint64_t size) {
  if (!spec.first) {
    const std::uint64_t count = std::min(*spec.last, size);
    if (count == 0) return std::nullopt;
    return ByteRange{size - count, size - 1};
  }
  if (*spec.first >= size) return std::nullopt;
  return ByteRange{*spec.first, std::min(spec.last.value_or(size - 1), size - 1)};
}

// What stands behind "bytes=".
std::optional<std::string_view> specs_of(std::string_view value) {
  const auto equals = value.find('=');
  if (equals == std::string_view::npos || !equals_ignoring_case(trim(value.substr(0, equals)), kUnit))
    return std::nullopt;
  return value.substr(equals + 1);
}

}  // namespace

RequestedRanges read_ranges(std::string_view value, std::uint64_t size, std::size_t most) {
  const auto specs = specs_of(value);
  if (!specs) return {};
  RequestedRanges found;
  std::size_t count = 0;
  std::uint64_t total = 0;
  bool is_sound = true;
  for_each_element(*specs, [&](std::string_view element) {
    const auto spec = read_spec(element);
    is_sound = spec.has_value() && ++count <= most;
    if (!is_sound) return false;
    if (const auto range = within(*spec, size)) {
      found.ranges.push_back(*range);
      total += range->size();
    }
    return true;
  });
  // Ranges that overlap may ask for far more than there is (RFC 9110 14.2).
  if (!is_sound || count == 0 || (found.ranges.size() > 1 && total > size)) return {};
  found.kind = found.ranges.empty() ? RequestedRanges::Kind::kUnsatisfiable : RequestedRanges::Kind::kSatisfiable;
  return found;
}

std::optional<RangeSpec> read_single_range(std::string_view value) {
  const auto specs = specs_of(value);
  if (!specs) return std::nullopt;
  return read_spec(trim(*specs));
}

std::optional<ContentRange> parse_content_range(std::string_view value) {
  const auto space = value.find(' ');
  if (space == std::string_view::npos || !equals_ignoring_case(value.substr(0, space), kUnit)) return std::nullopt;
  const auto rest = trim(value.substr(space));
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const auto range = rest.substr(0, slash);
  const auto dash = range.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto first = number(range.substr(0, dash));
  const auto last = number(range.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  ContentRange found{{*first, *last}, std::nullopt};
  if (const auto size = rest.substr(slash + 1); size != "*") {
    found.size = number(size);
    if (!found.size || *found.size <= *last) return std::nullopt;
  }
  return found;
}

std::string_view content_range_text(const ByteRange& range, std::uint64_t size, Arena& arena) {
  return arena.copy(fmt::format("bytes {}-{}/{}", range.first, range.last, size));
}

std::string_view unsatisfied_range_text(std::uint64_t size, Arena& arena) {
  return arena.copy(fmt::format("bytes */{}", size));
}

}  // namespace rproxy::http
