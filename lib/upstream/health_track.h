// What the checks of one endpoint make of it, and when the next one is due. No sockets and no clock: a pure account.
#pragma once

#include <cstdint>
#include <random>

#include "balance/endpoint.h"
#include "base/units.h"
#include "upstream/health_options.h"

namespace rproxy::upstream {

class HealthTrack {
 public:
  // `known`: what was found out before, as by the checks of an earlier configuration. `options` outlives it.
  HealthTrack(const HealthOptions& options, balance::Health known, std::uint64_t seed);

  balance::Health health() const { return health_; }
  // How many checks in a row have ended like the last one.
  std::uint32_t in_a_row() const { return in_a_row_; }

  // After each check. True when that has changed health().
  bool record(bool ok);

  // From one check's end to the next one's start; the first one's is short, and spreads many endpoints.
  Duration next_delay();

 private:
  Duration with_jitter(Duration time);

  const HealthOptions& options_;
  balance::Health health_;
  std::uint32_t in_a_row_ = 0;
  bool was_ok_ = true;
  bool is_first_ = true;
  std::minstd_rand random_;
};

}  // namespace rproxy::upstream
