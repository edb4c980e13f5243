#include "acme/progress.h"

#include <algorithm>

#include "acme/schedule.h"

namespace rproxy::acme {
namespace {

using std::chrono::seconds;

// Longer waits come of a clock that was wrong.
constexpr std::chrono::hours kWaitMax{30};
constexpr std::chrono::hours kHoldMax{12};

double share_of(const Options& options) { return options.renew_percent / 100.0; }

Validity validity_of(const x509::Certificate& certificate) {
  return {certificate.not_before(), certificate.not_after()};
}

}  // namespace

bool is_ahead(const std::optional<WallTime>& time, WallTime now) {
  return time && *time > now && *time - now < kWaitMax;
}

WallTime renewal_of(const x509::Certificate& certificate, const Progress& progress, const Options& options) {
  // Whatever a server says, before it ends.
  constexpr double kLatest = 0.9;
  const Validity validity = validity_of(certificate);
  return std::min(progress.renew_at.value_or(renewal_time(validity, share_of(options), 0)),
                  renewal_time(validity, kLatest, 0));
}

WallTime due_at(const x509::Certificate* certificate, const Progress& progress, const Options& options, WallTime now) {
  const WallTime due = certificate != nullptr ? renewal_of(*certificate, progress, options) : WallTime{};
  return is_ahead(progress.retry_at, now) ? std::max(due, *progress.retry_at) : due;
}

// A certificate that is made anew as soon as it is there, by whatever mistake, is not made without end: each time that takes twice as long.
Progress progress_of_issued(const x509::Certificate& certificate, const x509::Certificate* before,
                            const Progress& progress, const Options& options, WallTime now, double chance) {
  Progress next;
  if (before != nullptr) {
    const bool is_early = now < before->not_before() + (before->not_after() - before->not_before()) / 20;
    next.early = is_early ? progress.early + 1 : 0;
  }
  seconds hold = std::chrono::duration_cast<seconds>(options.retry);
  for (std::uint32_t i = 0; i < next.early && hold < kHoldMax; ++i) hold *= 2;
  next.retry_at = now + std::min<seconds>(hold, kHoldMax);
  next.renew_at = renewal_time(validity_of(certificate), share_of(options), chance);
  return next;
}

seconds note_failure(Progress& progress, const Failure& failure, const Options& options, WallTime now, double chance) {
  ++progress.failures;
  progress.last_error = failure.text();
  const auto pause =
      pause_after(failure, progress.failures, std::chrono::duration_cast<seconds>(options.retry), chance);
  progress.retry_at = now + pause;
  return pause;
}

void note_suggestion(Progress& progress, const Outcome<Client::Suggested>& suggested, WallTime now, double chance) {
  progress.asked_at = now + next_question(suggested ? suggested->retry_after : std::nullopt);
  if (!suggested) return;
  const RenewalInfo& info = suggested->info;
  const bool is_chosen = progress.renew_at && *progress.renew_at >= info.start && *progress.renew_at <= info.end;
  if (!is_chosen) progress.renew_at = renewal_time(info, now, chance);
}

}  // namespace rproxy::acme
