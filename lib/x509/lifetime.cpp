#include "x509/lifetime.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "base/units.h"

namespace rproxy::x509 {

using std::chrono::seconds;

std::optional<LifetimeLimit> LifetimeLimit::parse(std::string_view text) {
  if (text.ends_with('%')) {
    int percent = 0;
    const char* last = text.data() + text.size() - 1;
    const auto [end, error] = std::from_chars(text.data(), last, percent);
    if (error != std::errc() || end != last || percent <= 0 || percent >= 100) return std::nullopt;
    return LifetimeLimit{static_cast<double>(percent) / 100, {}, {}};
  }
  const auto time = parse_duration(text);
  if (!time || *time < seconds{1}) return std::nullopt;
  return LifetimeLimit{0, {}, std::chrono::duration_cast<seconds>(*time)};
}

seconds LifetimeLimit::of(WallTime begin, WallTime end) const {
  if (fixed.count() != 0) return fixed;
  const auto lifetime = std::chrono::duration_cast<seconds>(end - begin);
  const seconds left{static_cast<std::int64_t>(part * static_cast<double>(lifetime.count()))};
  return most.count() != 0 ? std::min(left, most) : left;
}

LifetimeState judge_lifetime(WallTime begin, WallTime end, WallTime now, const LifetimeLimit& warn,
                             const LifetimeLimit& critical) {
  if (end <= now) return LifetimeState::kExpired;
  if (begin > now) return LifetimeState::kNotYetValid;
  if (end - now < critical.of(begin, end)) return LifetimeState::kEndsVerySoon;
  return end - now < warn.of(begin, end) ? LifetimeState::kEndsSoon : LifetimeState::kFine;
}

}  // namespace rproxy::x509
