// Endpoints without a network, and what tests want to know of many picks.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "balance/policy.h"

namespace rproxy::balance {

inline const TimePoint kNow = TimePoint{} + std::chrono::hours(1);
inline const TriedSet kNone;

class Endpoints {
 public:
  explicit Endpoints(const std::vector<std::uint32_t>& weights, const EjectionOptions& ejection = {})
      : peers(std::make_shared<Peers>(ejection)) {
    for (const auto weight : weights) add(weight);
  }

  EndpointState& add(std::uint32_t weight = 1, std::uint32_t priority = 0) {
    EndpointOptions options;
    options.address = HostPort::parse("10.0." + std::to_string(states.size() / 250) + "." +
                                      std::to_string(states.size() % 250) + ":80")
                          .value();
    options.weight = weight;
    options.priority = priority;
    owned_.push_back(std::make_unique<EndpointState>(options, peers));
    states.push_back(owned_.back().get());
    return *states.back();
  }
  EndpointState& operator[](std::size_t i) const { return *states[i]; }

  std::shared_ptr<Peers> peers;
  std::vector<EndpointState*> states;

 private:
  std::vector<std::unique_ptr<EndpointState>> owned_;
};

inline void fail(EndpointState& state, TimePoint now = kNow) {
  for (int i = 0; i < 3; ++i) state.record(Outcome::kReset, {}, now);
}

// How often each was picked.
inline std::vector<int> counts(Policy& policy, std::size_t endpoints, int picks, TimePoint now = kNow,
                               const TriedSet& tried = kNone) {
  std::vector<int> count(endpoints);
  for (int i = 0; i < picks; ++i) {
    if (const auto picked = policy.pick({tried, now, static_cast<std::uint64_t>(i) * 0x9e3779b97f4a7c15U}))
      ++count[*picked];
  }
  return count;
}

// Pearson's statistic against these shares. For five shares a fair draw exceeds 33.4 once in a million times: with four degrees of freedom
// that is exp(-x/2) * (1 + x/2).
constexpr double kChiSquareOfFive = 33.4;
inline double chi_square(const std::vector<int>& counts, const std::vector<std::uint32_t>& weights) {
  double total = 0;
  double weight = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    total += counts[i];
    weight += weights[i];
  }
  double sum = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = total * weights[i] / weight;
    sum += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  return sum;
}

}  // namespace rproxy::balance
