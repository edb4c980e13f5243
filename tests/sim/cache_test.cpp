// Several clients that want the same of a cache at the same time: one of them leaves, at any step, and the others have their answers.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/house.h"
#include "sim/seeds.h"

namespace rproxy::sim {
namespace {

const Scenario& scenario(std::string_view name) { return *std::ranges::find(scenarios(), name, &Scenario::name); }

TEST(SharedFetch, OutlivesWhoHasBegunIt) {
  const Scenario& leaves = scenario("client_of_a_cache_resets_within_the_answer");
  Scenario stays = leaves;
  stays.client = {leaves.client.front()};
  stays.is_uncertain = false;
  for (const std::uint64_t seed : seeds(300)) {
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
    House house({leaves, stays, stays, leaves, stays}, {seed, true, Fault::kNone, 0});
    ASSERT_TRUE(house.run());
    house.check_expected();
    house.check_invariants();
    if (HasFailure()) break;
  }
}

TEST(SharedFetch, IsMadeOnceForAll) {
  Scenario wants = scenario("client_of_a_cache_resets_within_the_answer");
  wants.client = {wants.client.front()};
  wants.is_uncertain = false;
  for (const std::uint64_t seed : seeds(100)) {
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
    House house(std::vector<Scenario>(6, wants), {seed, true, Fault::kNone, 0});
    ASSERT_TRUE(house.run());
    house.check_expected();
    EXPECT_EQ(house.begun(), 1U);
    house.check_invariants();
    if (HasFailure()) break;
  }
}

TEST(SharedFetch, SurvivesAFailure) {
  Scenario wants = scenario("cached_answers");
  for (const std::uint64_t seed : seeds(300)) {
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
    const Fault fault = std::array{Fault::kReset, Fault::kEnd, Fault::kStall}[seed % 3];
    House house({wants, wants, wants}, {seed, true, fault, 1 + seed * 7 % 200});
    ASSERT_TRUE(house.run());
    house.check_invariants();
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace rproxy::sim
