// When a certificate is due, and when to try again. Time and chance are arguments; chance is from 0 to 1, so that many do not come at once.
#pragma once

#include <chrono>
#include <cstdint>

#include "acme/client.h"
#include "acme/wall_time.h"

namespace rproxy::acme {

struct Validity {
  WallTime not_before;
  WallTime not_after;
};

// After that share of its life, 0 to 1, or up to a twentieth of that earlier. 0: two thirds, or half of less than ten days.
WallTime renewal_time(const Validity& validity, double share, double chance);
// Within the window that the server wishes; at once where that is past (RFC 9773 4.2).
WallTime renewal_time(const RenewalInfo& info, WallTime now, double chance);

// Until the next attempt, after so many that failed in a row, at least one: `first`, twice as long each time, up to half a day, or what the
// server says where that is longer.
std::chrono::seconds pause_after(const Failure& failure, std::uint32_t failures, std::chrono::seconds first,
                                 double chance);

// Until renewal information is asked for again: as the server says, between a minute and a day; else six hours (RFC 9773 4.3).
std::chrono::seconds next_question(const std::optional<std::chrono::seconds>& retry_after);

}  // namespace rproxy::acme
