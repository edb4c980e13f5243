// The same with clients that speak HTTP/2: a stream for each request, all on one connection.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "sim/house.h"
#include "sim/http2_client.h"
#include "sim/seeds.h"

namespace rproxy::sim {
namespace {

class Http2 : public testing::TestWithParam<Scenario> {};

TEST_P(Http2, FragmentationChangesNothingOfWhatArrives) {
  House whole(GetParam(), {}, Speech::kHttp2);
  ASSERT_TRUE(whole.run());
  whole.check_expected();
  const std::string client_view = whole.client_view();
  whole.check_invariants();
  if (GetParam().is_whole_only) return;
  for (const std::uint64_t seed : seeds(40)) {
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
    House house(GetParam(), {seed, true, Fault::kNone, 0}, Speech::kHttp2);
    ASSERT_TRUE(house.run());
    house.check_expected();
    // The origins get the requests in whatever order their connections bring.
    if (!GetParam().is_uncertain && !GetParam().is_racy) {
      EXPECT_EQ(house.client_view(), client_view);
    }
    house.check_invariants();
    if (HasFailure()) break;
  }
}

// Every `stride`-th operation fails in a run of its own, until a run does not get that far.
void fail_each(const Scenario& scenario, WorldOptions options, std::size_t stride) {
  for (options.fault_at = 1 + options.seed % stride;; options.fault_at += stride) {
    SCOPED_TRACE("fault " + std::to_string(static_cast<int>(options.fault)) + " at operation " +
                 std::to_string(options.fault_at));
    House house(scenario, options, Speech::kHttp2);
    ASSERT_TRUE(house.run());
    if (!house.world().has_failed()) break;
    house.check_invariants();
    if (house.may_try_again()) house.check_expected();
    if (testing::Test::HasFailure()) break;
  }
}

TEST_P(Http2, FaultsLeaveNothingHeldAndNoAnswerWrong) {
  for (const Fault fault : {Fault::kReset, Fault::kEnd, Fault::kStall}) fail_each(GetParam(), {0, false, fault, 0}, 1);
}

TEST_P(Http2, FaultsLeaveNothingHeldAndNoAnswerWrongInPieces) {
  if (GetParam().is_whole_only) return;
  constexpr std::size_t kStride = 16;
  for (const std::uint64_t seed : seeds(kStride / 4)) {
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
    for (const Fault fault : {Fault::kReset, Fault::kEnd, Fault::kStall})
      fail_each(GetParam(), {seed, true, fault, 0}, kStride);
    if (HasFailure()) break;
  }
}

// The first seed is for whole messages.
template <typename Action>
void interrupt_each(const Scenario& scenario, Action action) {
  for (const std::uint64_t seed : scenario.is_whole_only ? std::vector<std::uint64_t>{1} : seeds(2)) {
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
    for (std::size_t steps = 0;; ++steps) {
      SCOPED_TRACE("after " + std::to_string(steps) + " steps");
      House house(scenario, {seed, seed > 1, Fault::kNone, 0}, Speech::kHttp2);
      ASSERT_TRUE(house.run(steps));
      const bool over = house.is_over();
      action(house);
      ASSERT_TRUE(house.run());
      house.check_invariants();
      if (over || testing::Test::HasFailure()) break;
    }
  }
}

TEST_P(Http2, CancellationLeavesNothingHeld) {
  interrupt_each(GetParam(), [](House& house) { house.cancel(); });
}

TEST_P(Http2, DrainingLetsWhatHasBegunFinish) {
  interrupt_each(GetParam(), [](House& house) {
    const std::size_t begun = house.begun();
    house.drain();
    house.run();
    house.check_answered(begun);
  });
}

std::vector<Scenario> http2_scenarios() {
  std::vector<Scenario> all;
  std::copy_if(scenarios().begin(), scenarios().end(), std::back_inserter(all), can_be_http2);
  return all;
}

INSTANTIATE_TEST_SUITE_P(Sim, Http2, testing::ValuesIn(http2_scenarios()), name_of);

// Several connections of several streams share what goes to the origins.
TEST(Http2Crowd, SurvivesAFailure) {
  const auto possible = http2_scenarios();
  for (const std::uint64_t seed : seeds(200)) {
    std::mt19937_64 random(seed);
    std::vector<Scenario> chosen;
    std::string names;
    while (chosen.size() < 4) {
      const Scenario& one = possible[random() % possible.size()];
      if (one.is_whole_only) continue;
      chosen.push_back(one.below(std::to_string(chosen.size())));
      names += " " + one.name;
    }
    const Fault fault = std::array{Fault::kNone, Fault::kReset, Fault::kEnd, Fault::kStall}[random() % 4];
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed) + names);
    House house(chosen, {seed, true, fault, 1 + random() % 300}, Speech::kHttp2);
    ASSERT_TRUE(house.run());
    house.check_invariants();
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace rproxy::sim
