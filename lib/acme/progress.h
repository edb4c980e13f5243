// What is known of one certificate's renewals, and what follows from what happens. Time and chance are arguments; chance is from 0 to 1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "acme/client.h"
#include "acme/options.h"
#include "acme/wall_time.h"
#include "x509/certificate.h"

namespace rproxy::acme {

// Times are absent where there are none.
struct Progress {
  std::uint32_t failures = 0;  // in a row
  std::string last_error;
  std::uint32_t early = 0;  // certificates in a row that took the place of one that had just been made
  std::optional<WallTime> retry_at;
  std::optional<WallTime> renew_at;
  bool is_on_demand = false;         // no configuration names it: a client has asked for it
  std::string profile;               // it was asked for with; empty: the usual one
  std::optional<WallTime> asked_at;  // when the server's renewal information is to be asked for again
};

// Whether it is still to come; what is far ahead comes of a clock that was wrong.
bool is_ahead(const std::optional<WallTime>& time, WallTime now);

// When that certificate is to be made anew, as the server has said or by its lifetime, however often that has failed.
WallTime renewal_of(const x509::Certificate& certificate, const Progress& progress, const Options& options);

// The same, at once where there is none (null), but not before what failed may be tried again.
WallTime due_at(const x509::Certificate* certificate, const Progress& progress, const Options& options, WallTime now);

// There is another certificate; `before`: null where it is the first.
Progress progress_of_issued(const x509::Certificate& certificate, const x509::Certificate* before,
                            const Progress& progress, const Options& options, WallTime now, double chance);
// It could not be had; gives the pause until the next attempt.
std::chrono::seconds note_failure(Progress& progress, const Failure& failure, const Options& options, WallTime now,
                                  double chance);
// The server was asked when it is to be renewed, and has said so, or not.
void note_suggestion(Progress& progress, const Outcome<Client::Suggested>& suggested, WallTime now, double chance);

}  // namespace rproxy::acme
