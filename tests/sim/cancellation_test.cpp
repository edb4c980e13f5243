// A worker goes, at once or in order, after any number of steps.
#include <gtest/gtest.h>

#include "sim/house.h"
#include "sim/seeds.h"

namespace rproxy::sim {
namespace {

// The first seed is for whole messages.
std::vector<std::uint64_t> seeds_for(const Scenario& scenario) {
  return scenario.is_whole_only ? std::vector<std::uint64_t>{1} : seeds(3);
}

class Cancellation : public testing::TestWithParam<Scenario> {};

template <typename Action>
void interrupt_each(const Scenario& scenario, const WorldOptions& options, Action action) {
  for (std::size_t steps = 0;; ++steps) {
    SCOPED_TRACE("after " + std::to_string(steps) + " steps");
    House house(scenario, options);
    ASSERT_TRUE(house.run(steps));
    const bool over = house.is_over();
    action(house);
    ASSERT_TRUE(house.run());
    house.check_invariants();
    if (over || testing::Test::HasFailure()) break;
  }
}

TEST_P(Cancellation, AtAnySuspensionLeavesNothingHeld) {
  for (const std::uint64_t seed : seeds_for(GetParam())) {
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
    interrupt_each(GetParam(), {seed, seed > 1, Fault::kNone, 0}, [](House& house) { house.cancel(); });
    if (HasFailure()) break;
  }
}

TEST_P(Cancellation, InOrderLetsWhatHasBegunFinish) {
  for (const std::uint64_t seed : seeds_for(GetParam())) {
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
    interrupt_each(GetParam(), {seed, seed > 1, Fault::kNone, 0}, [](House& house) {
      const std::size_t begun = house.begun();
      house.drain();
      house.run();
      house.check_answered(begun);
    });
    if (HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Sim, Cancellation, testing::ValuesIn(scenarios()), name_of);

}  // namespace
}  // namespace rproxy::sim
