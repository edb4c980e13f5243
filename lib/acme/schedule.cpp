#include "acme/schedule.h"

#include <algorithm>

namespace rproxy::acme {
namespace {

using std::chrono::duration_cast;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr hours kShortLived{240};
constexpr hours kRetryPauseMax{12};
constexpr hours kRateLimitPause{1};

}  // namespace

WallTime renewal_time(const Validity& validity, double share, double chance) {
  const auto life = validity.not_after - validity.not_before;
  if (share <= 0) share = life < kShortLived ? 0.5 : 2.0 / 3;
  return validity.not_before + duration_cast<WallTime::duration>(life * (share * (1 - chance / 20)));
}

WallTime renewal_time(const RenewalInfo& info, WallTime now, double chance) {
  const WallTime chosen = info.start + duration_cast<WallTime::duration>((info.end - info.start) * chance);
  return std::max(chosen, now);
}

seconds pause_after(const Failure& failure, std::uint32_t failures, seconds first, double chance) {
  seconds pause = std::max(first, seconds{1});
  for (std::uint32_t i = 1; i < failures && pause < kRetryPauseMax; ++i) pause *= 2;
  if (failure.problem && failure.problem->word() == "rateLimited") pause = std::max<seconds>(pause, kRateLimitPause);
  pause = std::min<seconds>(pause, kRetryPauseMax);
  if (failure.retry_after) pause = std::max(pause, *failure.retry_after);
  return pause + duration_cast<seconds>(pause * (chance / 5));
}

seconds next_question(const std::optional<seconds>& retry_after) {
  if (!retry_after) return hours{6};
  return std::clamp<seconds>(*retry_after, minutes{1}, hours{24});
}

}  // namespace rproxy::acme
