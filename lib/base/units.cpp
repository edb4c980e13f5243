#include "base/units.h"

#include <array>
#include <charconv>
#include <limits>

namespace rproxy {
namespace {

using std::uint64_t;

// Takes the digits in front; nothing where there are none or they overflow.
std::optional<uint64_t> take_number(std::string_view& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end == text.data()) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

std::optional<uint64_t> multiply(uint64_t a, uint64_t b) {
  if (b != 0 && a > std::numeric_limits<std::int64_t>::max() / b) return std::nullopt;
  return a * b;
}

struct Unit {
  std::string_view name;
  uint64_t size;
};

// Largest first, so that the shortest exact spelling is found by the first that divides.
constexpr std::array<Unit, 6> kDurations{
    {{"w", 604'800'000}, {"d", 86'400'000}, {"h", 3'600'000}, {"m", 60'000}, {"s", 1'000}, {"ms", 1}}};
constexpr std::array<Unit, 4> kBinarySizes{{{"GiB", 1ULL << 30}, {"MiB", 1ULL << 20}, {"KiB", 1ULL << 10}, {"B", 1}}};
constexpr std::array<Unit, 3> kDecimalSizes{{{"GB", 1'000'000'000}, {"MB", 1'000'000}, {"kB", 1'000}}};

// The unit whose name is all letters in front of the next digit or the end.
template <std::size_t N>
std::optional<uint64_t> take_unit(std::string_view& text, const std::array<Unit, N>& units) {
  std::size_t size = 0;
  while (size < text.size() && (text[size] < '0' || text[size] > '9')) ++size;
  for (const Unit& unit : units) {
    if (unit.name != text.substr(0, size)) continue;
    text.remove_prefix(size);
    return unit.size;
  }
  return std::nullopt;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  if (text == "0") return Duration{0};
  if (text.empty()) return std::nullopt;
  uint64_t total = 0;
  while (!text.empty()) {
    const auto number = take_number(text);
    const auto unit = number ? take_unit(text, kDurations) : std::nullopt;
    const auto part = unit ? multiply(*number, *unit) : std::nullopt;
    if (!part || *part > std::numeric_limits<std::int64_t>::max() - total) return std::nullopt;
    total += *part;
  }
  return Duration{static_cast<std::int64_t>(total)};
}

std::optional<ByteSize> parse_byte_size(std::string_view text) {
  const auto number = take_number(text);
  if (!number) return std::nullopt;
  if (text.empty()) return multiply(*number, 1) ? std::optional(ByteSize{*number}) : std::nullopt;
  auto unit = take_unit(text, kBinarySizes);
  if (!unit) unit = take_unit(text, kDecimalSizes);
  const auto total = unit && text.empty() ? multiply(*number, *unit) : std::nullopt;
  return total ? std::optional(ByteSize{*total}) : std::nullopt;
}

std::optional<Rate> parse_rate(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  auto head = text.substr(0, slash);
  const auto count = take_number(head);
  auto per = text.substr(slash + 1);
  if (!count || !head.empty() || per.empty()) return std::nullopt;
  const bool bare = per.front() < '0' || per.front() > '9';
  const auto duration = parse_duration(bare ? "1" + std::string(per) : std::string(per));
  if (!duration || duration->count() == 0) return std::nullopt;
  return Rate{*count, *duration};
}

std::string to_string(Duration value) {
  auto left = static_cast<uint64_t>(value.count());
  if (left == 0) return "0";
  std::string text;
  for (const Unit& unit : kDurations) {
    // "1w" is the same as "7d", but only whole weeks read well.
    if (unit.name == "w" && left % unit.size != 0) continue;
    if (left < unit.size) continue;
    text += std::to_string(left / unit.size);
    text += unit.name;
    left %= unit.size;
  }
  return text;
}

std::string to_string(ByteSize value) {
  for (const Unit& unit : kBinarySizes) {
    if (unit.size == 1 || value.bytes == 0 || value.bytes % unit.size != 0) continue;
    return std::to_string(value.bytes / unit.size) + std::string(unit.name);
  }
  return std::to_string(value.bytes);
}

std::string to_string(Rate value) {
  const std::string per = to_string(value.per);
  const bool one = per.size() > 1 && per[0] == '1' && (per[1] < '0' || per[1] > '9');
  return std::to_string(value.count) + "/" + (one ? per.substr(1) : per);
}

}  // namespace rproxy
