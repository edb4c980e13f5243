// The seeds of a test's runs: 1 to `count`, or the one of RPROXY_SIM_SEED, to see a failure again.
// RPROXY_SIM_MORE=20 takes twenty times as many, for a long look.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <ostream>
#include <string>
#include <vector>

#include "sim/scenario.h"

namespace rproxy::sim {

inline std::vector<std::uint64_t> seeds(std::uint64_t count) {
  if (const char* chosen = std::getenv("RPROXY_SIM_SEED")) return {std::strtoull(chosen, nullptr, 10)};
  if (const char* times = std::getenv("RPROXY_SIM_MORE")) count *= std::strtoull(times, nullptr, 10);
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= count; ++seed) all.push_back(seed);
  return all;
}

inline std::string name_of(const testing::TestParamInfo<Scenario>& info) { return info.param.name; }

inline void PrintTo(const Scenario& scenario, std::ostream* out) {
  *out << scenario.name;
}  // NOLINT(readability-identifier-naming)

}  // namespace rproxy::sim
