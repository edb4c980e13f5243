// The N-th operation fails, for every N: nothing is held, lost in silence, or done twice.
#include <gtest/gtest.h>

#include "sim/house.h"
#include "sim/seeds.h"

namespace rproxy::sim {
namespace {

class Faults : public testing::TestWithParam<Scenario> {};

const char* to_string(Fault fault) {
  constexpr const char* kNames[] = {"none", "reset", "end", "stall"};
  return kNames[static_cast<std::size_t>(fault)];
}

// Every `stride`-th operation fails in a run of its own, until a run does not get that far.
void fail_each(const Scenario& scenario, WorldOptions options, std::size_t stride) {
  for (options.fault_at = 1 + options.seed % stride;; options.fault_at += stride) {
    SCOPED_TRACE(std::string(to_string(options.fault)) + " at operation " + std::to_string(options.fault_at));
    House house(scenario, options);
    ASSERT_TRUE(house.run());
    if (!house.world().has_failed()) break;
    house.check_invariants();
    if (house.may_try_again()) house.check_expected();
    if (testing::Test::HasFailure()) break;
  }
}

TEST_P(Faults, LeaveNothingHeldAndNoAnswerWrong) {
  for (const Fault fault : {Fault::kReset, Fault::kEnd, Fault::kStall}) fail_each(GetParam(), {0, false, fault, 0}, 1);
}

TEST_P(Faults, LeaveNothingHeldAndNoAnswerWrongInPieces) {
  if (GetParam().is_whole_only) return;
  // In pieces there are hundreds of operations: each seed takes its share of them.
  constexpr std::size_t kStride = 12;
  for (const std::uint64_t seed : seeds(kStride / 2)) {
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
    for (const Fault fault : {Fault::kReset, Fault::kEnd, Fault::kStall})
      fail_each(GetParam(), {seed, true, fault, 0}, kStride);
    if (HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Sim, Faults, testing::ValuesIn(scenarios()), name_of);

}  // namespace
}  // namespace rproxy::sim
