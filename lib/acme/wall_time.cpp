#include "acme/wall_time.h"

#include <fmt/chrono.h>

#include <charconv>
#include <ctime>

namespace rproxy::acme {
namespace {

using std::chrono::seconds;

// The clock counts nanoseconds, and ends in 2262.
constexpr int kYearMax = 2261;

// `size` digits in front of `text`, which are taken off it.
std::optional<int> take_number(std::string_view& text, std::size_t size) {
  int number = 0;
  if (text.size() < size) return std::nullopt;
  const char* const end = text.data() + size;
  if (text.front() < '0' || text.front() > '9') return std::nullopt;
  const auto [last, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || last != end) return std::nullopt;
  text.remove_prefix(size);
  return number;
}

bool take(std::string_view& text, std::string_view any_of) {
  if (text.empty() || any_of.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

// "Z", "+01:00" or "-01:00".
std::optional<seconds> take_offset(std::string_view& text) {
  if (take(text, "Zz")) return seconds{0};
  const int sign = text.starts_with('-') ? -1 : 1;
  if (!take(text, "+-")) return std::nullopt;
  const auto hours = take_number(text, 2);
  if (!hours || !take(text, ":")) return std::nullopt;
  const auto minutes = take_number(text, 2);
  if (!minutes || *hours > 23 || *minutes > 59) return std::nullopt;
  return sign * (std::chrono::hours{*hours} + std::chrono::minutes{*minutes});
}

}  // namespace

std::optional<WallTime> parse_time(std::string_view text) {
  std::tm parts{};
  const auto part = [&text](int& out, std::size_t size, std::string_view after, int minus, int least, int most) {
    const auto number = take_number(text, size);
    if (!number || *number < least || *number > most) return false;
    out = *number - minus;
    return after.empty() || take(text, after);
  };
  const bool is_date = part(parts.tm_year, 4, "-", 1900, 1970, kYearMax) && part(parts.tm_mon, 2, "-", 1, 1, 12) &&
                       part(parts.tm_mday, 2, "Tt ", 0, 1, 31) && part(parts.tm_hour, 2, ":", 0, 0, 23) &&
                       part(parts.tm_min, 2, ":", 0, 0, 59) && part(parts.tm_sec, 2, "", 0, 0, 60);
  if (!is_date) return std::nullopt;
  if (take(text, ".")) {
    if (!take_number(text, 1)) return std::nullopt;
    while (take(text, "0123456789")) {
    }
  }
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return WallTime{seconds{::timegm(&parts)} - *offset};
}

std::string to_text(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::floor<seconds>(time)));
}

}  // namespace rproxy::acme
