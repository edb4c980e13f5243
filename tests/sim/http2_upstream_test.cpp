// The same with origins that speak HTTP/2: all requests share few connections, whatever the clients speak.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>

#include "sim/house.h"
#include "sim/http2_client.h"
#include "sim/http2_origin.h"
#include "sim/seeds.h"

namespace rproxy::sim {
namespace {

constexpr std::array kSpeeches{Speech::kHttp2Upstream, Speech::kHttp2Both};

bool is_possible(const Scenario& scenario, Speech speech) {
  return can_be_http2_upstream(scenario) && (speech != Speech::kHttp2Both || can_be_http2(scenario));
}

class Http2Upstream : public testing::TestWithParam<Scenario> {
 protected:
  // With clients of either version.
  template <typename Check>
  void each(Check check) {
    for (const Speech speech : kSpeeches) {
      SCOPED_TRACE("speech " + std::to_string(static_cast<int>(speech)));
      if (is_possible(GetParam(), speech)) check(speech);
      if (HasFailure()) return;
    }
  }
};

TEST_P(Http2Upstream, FragmentationChangesNothingOfWhatArrives) {
  each([](Speech speech) {
    House whole(GetParam(), {}, speech);
    ASSERT_TRUE(whole.run());
    whole.check_expected();
    const std::string client_view = whole.client_view();
    whole.check_invariants();
    for (const std::uint64_t seed : seeds(40)) {
      SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
      House house(GetParam(), {seed, true, Fault::kNone, 0}, speech);
      ASSERT_TRUE(house.run());
      house.check_expected();
      if (!GetParam().is_uncertain && !GetParam().is_racy) {
        EXPECT_EQ(house.client_view(), client_view);
      }
      house.check_invariants();
      if (HasFailure()) break;
    }
  });
}

// Every `stride`-th operation fails in a run of its own, until a run does not get that far.
void fail_each(const Scenario& scenario, Speech speech, WorldOptions options, std::size_t stride) {
  for (options.fault_at = 1 + options.seed % stride;; options.fault_at += stride) {
    SCOPED_TRACE("fault " + std::to_string(static_cast<int>(options.fault)) + " at operation " +
                 std::to_string(options.fault_at));
    House house(scenario, options, speech);
    ASSERT_TRUE(house.run());
    if (!house.world().has_failed()) break;
    house.check_invariants();
    if (testing::Test::HasFailure()) break;
  }
}

TEST_P(Http2Upstream, FaultsLeaveNothingHeldAndNoAnswerWrong) {
  each([](Speech speech) {
    for (const Fault fault : {Fault::kReset, Fault::kEnd, Fault::kStall}) {
      fail_each(GetParam(), speech, {0, false, fault, 0}, 1);
    }
  });
}

TEST_P(Http2Upstream, FaultsLeaveNothingHeldAndNoAnswerWrongInPieces) {
  each([](Speech speech) {
    constexpr std::size_t kStride = 16;
    for (const std::uint64_t seed : seeds(kStride / 4)) {
      SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
      for (const Fault fault : {Fault::kReset, Fault::kEnd, Fault::kStall}) {
        fail_each(GetParam(), speech, {seed, true, fault, 0}, kStride);
      }
      if (HasFailure()) break;
    }
  });
}

template <typename Action>
void interrupt_each(const Scenario& scenario, Speech speech, Action action) {
  for (const std::uint64_t seed : seeds(2)) {
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed));
    for (std::size_t steps = 0;; ++steps) {
      SCOPED_TRACE("after " + std::to_string(steps) + " steps");
      House house(scenario, {seed, seed > 1, Fault::kNone, 0}, speech);
      ASSERT_TRUE(house.run(steps));
      const bool over = house.is_over();
      action(house);
      ASSERT_TRUE(house.run());
      house.check_invariants();
      if (over || testing::Test::HasFailure()) break;
    }
  }
}

TEST_P(Http2Upstream, CancellationLeavesNothingHeld) {
  each([](Speech speech) { interrupt_each(GetParam(), speech, [](House& house) { house.cancel(); }); });
}

TEST_P(Http2Upstream, DrainingLetsWhatHasBegunFinish) {
  each([](Speech speech) {
    interrupt_each(GetParam(), speech, [](House& house) {
      const std::size_t begun = house.begun();
      house.drain();
      house.run();
      house.check_answered(begun);
    });
  });
}

// The pool goes, and with it whatever is on its way or in use.
TEST_P(Http2Upstream, GoesWithItsPoolAtAnySuspension) {
  each([](Speech speech) {
    for (const std::uint64_t seed : seeds(3)) {
      for (std::size_t steps = 0;; ++steps) {
        House house(GetParam(), {seed, seed > 1, Fault::kNone, 0}, speech);
        ASSERT_TRUE(house.run(steps));
        const bool over = house.is_over();
        house.cancel();
        house.drop_pool();
        house.world().loop().poller().call_at_end();
        EXPECT_EQ(house.world().streams, 0U) << "after " << steps << " steps of seed " << seed;
        if (over || HasFailure()) break;
      }
    }
  });
}

std::vector<Scenario> possible_scenarios(Speech speech) {
  std::vector<Scenario> all;
  std::copy_if(scenarios().begin(), scenarios().end(), std::back_inserter(all),
               [&](const Scenario& scenario) { return is_possible(scenario, speech); });
  return all;
}

INSTANTIATE_TEST_SUITE_P(Sim, Http2Upstream, testing::ValuesIn(possible_scenarios(Speech::kHttp2Upstream)), name_of);

TEST(Http2UpstreamCrowd, SurvivesAFailure) {
  for (const std::uint64_t seed : seeds(300)) {
    std::mt19937_64 random(seed);
    const Speech speech = kSpeeches[random() % 2];
    const auto possible = possible_scenarios(speech);
    std::vector<Scenario> chosen;
    std::string names;
    while (chosen.size() < 5) {
      chosen.push_back(possible[random() % possible.size()].below(std::to_string(chosen.size())));
      names += " " + chosen.back().name;
    }
    chosen.front().room = static_cast<Scenario::Room>(random() % 4);
    const Fault fault = std::array{Fault::kNone, Fault::kReset, Fault::kEnd, Fault::kStall}[random() % 4];
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed) + names);
    House house(chosen, {seed, true, fault, 1 + random() % 400}, speech);
    ASSERT_TRUE(house.run());
    house.check_invariants();
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace rproxy::sim
