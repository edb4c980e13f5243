// How much of a certificate's lifetime has to be left: by parts of it, so that one of six days is watched as well as one of a year.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "x509/certificate.h"

namespace rproxy::x509 {

struct LifetimeLimit {
  double part = 0;
  std::chrono::seconds most{0};   // of the part; 0: no limit. Long-lived ones need no months
  std::chrono::seconds fixed{0};  // in place of all that; 0: by the part

  // "20d", or "25%" of the lifetime; nothing: it is neither.
  static std::optional<LifetimeLimit> parse(std::string_view text);
  std::chrono::seconds of(WallTime begin, WallTime end) const;
};

// What is worth a warning, or worse, where nothing else is said: a quarter and a tenth, 30 days and 10 at most.
constexpr LifetimeLimit kWarnLimit{0.25, std::chrono::hours{30 * 24}, {}};
constexpr LifetimeLimit kCriticalLimit{0.10, std::chrono::hours{10 * 24}, {}};

enum class LifetimeState : std::uint8_t { kFine, kEndsSoon, kEndsVerySoon, kExpired, kNotYetValid };
LifetimeState judge_lifetime(WallTime begin, WallTime end, WallTime now, const LifetimeLimit& warn,
                             const LifetimeLimit& critical);

}  // namespace rproxy::x509
