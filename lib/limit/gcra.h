// The generic cell rate algorithm: a token bucket whose whole state is one time, the theoretical arrival time (TAT). It
// is when the bucket is full again; each request puts it off by one interval, and none may put it off further than a
// whole burst from now.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/result.h"
#include "base/units.h"

namespace rproxy::limit {

struct Decision {
  static constexpr std::chrono::nanoseconds kNever = std::chrono::nanoseconds::max();

  bool allowed = false;
  std::uint32_t remaining = 0;              // how many more of cost 1 would be allowed now
  std::chrono::nanoseconds retry_after{0};  // until the same would be allowed; kNever: it costs more than the burst
  std::chrono::nanoseconds reset{0};        // until the whole burst is there again
};

// For fields that are in whole seconds (Retry-After, RateLimit): rounded up, so that who waits so long is let in.
constexpr std::int64_t seconds_up(std::chrono::nanoseconds time) {
  return time.count() / 1'000'000'000 + (time.count() % 1'000'000'000 > 0 ? 1 : 0);
}

// Nanoseconds of the steady clock since its epoch, at least 0 and below 2^61 (73 years).
std::uint64_t nanoseconds_of(TimePoint time);

// A rate and a burst, ready to decide by: whole nanoseconds, no overflow for any state and time.
class Gcra {
 public:
  // More often than each microsecond the rounding to nanoseconds would be more than a thousandth.
  static constexpr std::chrono::nanoseconds kIntervalMin{1'000};
  static constexpr std::chrono::hours kPeriodMax{24 * 366};
  static constexpr std::chrono::hours kCapacityMax{24 * 366 * 10};  // of interval times burst

  // `burst` is how many are allowed at once after a rest, at least 1. The interval between two is rounded up to a
  // nanosecond: never more often than the rate says, and less often by a thousandth at most. Errors: kConfig, saying
  // what the bound is.
  static Result<Gcra> make(const Rate& rate, std::uint32_t burst);

  std::chrono::nanoseconds interval() const { return std::chrono::nanoseconds(interval_); }
  std::uint32_t burst() const { return burst_; }

  struct Outcome {
    Decision decision;
    std::uint64_t tat;  // to be kept in place of the old one, whatever was decided
  };
  // `tat` and `now` as of nanoseconds_of(); a `tat` of 0, or any that is past, is that of who has not been seen. What
  // is refused costs nothing; a cost of 0 is always allowed, but for a debt under an earlier, larger burst. A TAT that
  // this rate could not have led to is of a rate that was changed: it becomes the latest one possible.
  Outcome decide(std::uint64_t tat, std::uint64_t now, std::uint32_t cost = 1) const;

 private:
  Gcra(std::uint64_t interval, std::uint32_t burst) : interval_(interval), capacity_(interval * burst), burst_(burst) {}

  std::uint64_t interval_;  // nanoseconds
  std::uint64_t capacity_;
  std::uint32_t burst_;
};

}  // namespace rproxy::limit
