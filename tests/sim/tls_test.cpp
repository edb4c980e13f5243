// The same over TLS on both sides, where an end that nobody announced is no end.
#include <gtest/gtest.h>

#include <array>

#include "sim/house.h"
#include "sim/seeds.h"

namespace rproxy::sim {
namespace {

class Tls : public testing::TestWithParam<Scenario> {};

TEST_P(Tls, FragmentationChangesNothingOfWhatArrives) {
  for (const std::uint64_t seed : seeds(3)) {
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
    House house(GetParam(), {seed, seed > 1 && !GetParam().is_whole_only, Fault::kNone, 0}, Speech::kHttp1Tls);
    ASSERT_TRUE(house.run());
    house.check_expected();
    house.check_invariants();
    if (HasFailure()) break;
  }
}

TEST_P(Tls, FaultsLeaveNothingHeldAndNoAnswerWrong) {
  for (const Fault fault : {Fault::kReset, Fault::kEnd, Fault::kStall}) {
    // Each fault takes its turn.
    for (std::size_t at = 2 * static_cast<std::size_t>(fault);; at += 6) {
      SCOPED_TRACE("fault " + std::to_string(static_cast<int>(fault)) + " at operation " + std::to_string(at));
      House house(GetParam(), {0, false, fault, at}, Speech::kHttp1Tls);
      ASSERT_TRUE(house.run());
      if (!house.world().has_failed()) break;
      house.check_invariants();
      if (HasFailure()) return;
    }
  }
}

TEST_P(Tls, CancellationLeavesNothingHeld) {
  for (std::size_t steps = 0;; steps += 4) {
    SCOPED_TRACE("after " + std::to_string(steps) + " steps");
    House house(GetParam(), {}, Speech::kHttp1Tls);
    ASSERT_TRUE(house.run(steps));
    const bool over = house.is_over();
    house.cancel();
    ASSERT_TRUE(house.run());
    house.check_invariants();
    if (over || HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Sim, Tls, testing::ValuesIn(scenarios()), name_of);

}  // namespace
}  // namespace rproxy::sim
