// Who does worse than its peers, once in each interval: fewer successes than the mean by so many standard deviations, or slower than so
// many times the median (Envoy's outlier detection).
#pragma once

#include <span>
#include <vector>

#include "balance/endpoint.h"

namespace rproxy::balance {

class OutlierDetector {
 public:
  // To be called about once a second; does nothing until the interval of the peers' options is over. Returns whom it has ejected.
  std::vector<EndpointState*> sweep(std::span<EndpointState* const> endpoints, TimePoint now);

 private:
  TimePoint due_{};  // that of the first call: what was counted before is of no interval
};

}  // namespace rproxy::balance
