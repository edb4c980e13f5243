// However bytes are split and delayed, both sides get the same messages.
#include <gtest/gtest.h>

#include <ostream>

#include "sim/house.h"
#include "sim/seeds.h"

namespace rproxy::sim {
namespace {

class Fragmentation : public testing::TestWithParam<Scenario> {};

TEST_P(Fragmentation, ChangesNothingOfWhatArrives) {
  House whole(GetParam(), {});
  ASSERT_TRUE(whole.run());
  whole.check_expected();
  const std::string client_view = whole.client_view();
  const std::string origin_view = whole.origin_view();
  whole.check_invariants();
  if (GetParam().is_whole_only) return;
  for (const std::uint64_t seed : seeds(60)) {
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
    House house(GetParam(), {seed, true, Fault::kNone, 0});
    ASSERT_TRUE(house.run());
    house.check_expected();
    if (!GetParam().is_uncertain && !GetParam().is_racy) {
      EXPECT_EQ(house.client_view(), client_view);
      EXPECT_EQ(house.origin_view(), origin_view);
    }
    house.check_invariants();
    if (HasFailure()) break;
  }
}

INSTANTIATE_TEST_SUITE_P(Sim, Fragmentation, testing::ValuesIn(scenarios()), name_of);

}  // namespace
}  // namespace rproxy::sim
