// When an endpoint is left alone for a while for what its requests have met (passive health).
#pragma once

#include <cstdint>
#include <string_view>

#include "base/units.h"

namespace rproxy::balance {

struct EjectionOptions {
  // In a row; 0: never for this.
  std::uint32_t consecutive_failures = 3;  // connect failures, resets, timeouts, or answers cut short
  std::uint32_t consecutive_5xx = 0;       // responses of 500 and above; failures count as such, too
  std::uint32_t consecutive_gateway = 0;   // 502, 503 and 504; failures count as such, too
  Duration base_time{5'000};               // grows with each ejection, shrinks by one step in each interval without
  Duration max_time{60'000};
  std::uint32_t max_percent = 100;  // never eject more than this share of an upstream, but one; 0: none

  // Against the peers, looked at once in each interval.
  Duration interval{10'000};
  std::uint32_t success_rate_factor = 0;  // percent of a standard deviation below the mean; 0: never
  std::uint32_t latency_factor = 0;       // percent of the peers' median; 0: never
  Duration latency_min{10};               // whoever is quicker is no outlier, whatever the others are
  std::uint32_t min_hosts = 5;            // with enough requests to be compared
  std::uint32_t min_requests = 100;       // in an interval
  bool operator==(const EjectionOptions&) const = default;
};

enum class EjectionCause : std::uint8_t { kNone, kFailures, kGatewayErrors, kServerErrors, kSuccessRate, kLatency };
std::string_view to_string(EjectionCause cause);  // words: "failures in a row"

}  // namespace rproxy::balance
