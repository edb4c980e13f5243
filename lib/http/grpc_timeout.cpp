#include "http/grpc_timeout.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace rproxy::http {
namespace {

using std::chrono::microseconds;

constexpr microseconds kYear = std::chrono::hours{365 * 24};
constexpr std::size_t kDigitsMax = 8;
constexpr std::int64_t kValueMax = 99'999'999;

struct Unit {
  char name;
  microseconds size;
};
constexpr Unit kUnits[] = {
    {'u', microseconds{1}},         {'m', std::chrono::milliseconds{1}}, {'S', std::chrono::seconds{1}},
    {'M', std::chrono::minutes{1}}, {'H', std::chrono::hours{1}},
};

}  // namespace

std::optional<microseconds> parse_grpc_timeout(std::string_view text) {
  if (text.size() < 2 || text.size() > kDigitsMax + 1) return std::nullopt;
  std::int64_t value = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  if (text.back() == 'n') return microseconds{(value + 999) / 1000};
  const auto* unit = std::ranges::find(kUnits, text.back(), &Unit::name);
  if (unit == std::end(kUnits)) return std::nullopt;
  return std::min(value * unit->size, kYear);
}

std::size_t write_grpc_timeout(char* out, microseconds timeout) {
  timeout = std::clamp(timeout, microseconds{1}, kYear);
  const Unit* unit = kUnits;
  while (timeout / unit->size > kValueMax) ++unit;
  char* end = std::to_chars(out, out + kDigitsMax, timeout / unit->size).ptr;
  *end++ = unit->name;
  return static_cast<std::size_t>(end - out);
}

}  // namespace rproxy::http
