#include "balance/policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "unit/balance/endpoints.h"

namespace rproxy::balance {
namespace {

std::string order(Policy& policy, int count) {
  std::string picks;
  for (int i = 0; i < count; ++i) picks += static_cast<char>('a' + *policy.pick({kNone, kNow}));
  return picks;
}

TEST(RoundRobin, IsSmoothAndFollowsWeights) {
  const Endpoints endpoints({5, 1, 1});
  const auto policy = make_policy({PolicyKind::kRoundRobin}, endpoints.states, 0);
  const std::string picks = order(*policy, 70);
  for (std::size_t i = 0; i + 7 <= picks.size(); ++i) {
    // In any seven in a row each has its share: no burst on the heavy one, no gap for the light ones.
    const auto window = picks.substr(i, 7);
    EXPECT_EQ(std::count(window.begin(), window.end(), 'a'), 5) << picks;
    EXPECT_EQ(std::count(window.begin(), window.end(), 'b'), 1) << picks;
  }
  EXPECT_EQ(picks.find("aaaaa"), std::string::npos) << picks;
}

TEST(EveryPolicy, LeavesOutTheTriedTheEjectedAndWeightZero) {
  for (const auto kind : {PolicyKind::kRoundRobin, PolicyKind::kLeastConn, PolicyKind::kP2cEwma}) {
    const Endpoints endpoints({1, 0, 1, 1});
    const auto policy = make_policy({kind}, endpoints.states, 3);
    for (int i = 0; i < 3; ++i) endpoints.states[2]->record(Outcome::kConnectFailed, {}, kNow);
    EXPECT_TRUE(endpoints.states[2]->is_ejected(kNow));
    TriedSet tried;
    tried.add(endpoints.states[0]->id());
    for (int i = 0; i < 50; ++i) EXPECT_EQ(policy->pick({tried, kNow}), 3U);
    tried.add(endpoints.states[3]->id());
    // An ejected one is better than none.
    EXPECT_EQ(policy->pick({tried, kNow}), 2U);
    tried.add(endpoints.states[2]->id());
    EXPECT_EQ(policy->pick({tried, kNow}), std::nullopt);
  }
}

TEST(LeastConn, PicksTheLeastLoadedForItsWeight) {
  const Endpoints endpoints({1, 3});
  const auto policy = make_policy({PolicyKind::kLeastConn}, endpoints.states, 0);
  std::map<std::size_t, int> picks;
  for (int i = 0; i < 40; ++i) {
    const auto picked = *policy->pick({kNone, kNow});
    endpoints.states[picked]->begin();
    ++picks[picked];
  }
  EXPECT_EQ(picks[1], 30);
}

TEST(LeastConn, LetsTheIdleTakeTurnsByWeight) {
  const Endpoints endpoints({1, 3, 0});
  const auto policy = make_policy({PolicyKind::kLeastConn}, endpoints.states, 0);
  const std::string picks = order(*policy, 40);  // each is over before the next begins
  EXPECT_EQ(std::count(picks.begin(), picks.end(), 'a'), 10) << picks;
  EXPECT_EQ(std::count(picks.begin(), picks.end(), 'b'), 30) << picks;
}

TEST(P2cEwma, PrefersTheFasterButStarvesNobody) {
  const Endpoints endpoints({1, 1, 1});
  const auto policy = make_policy({PolicyKind::kP2cEwma}, endpoints.states, 5);
  std::map<std::size_t, int> picks;
  TimePoint now = kNow;
  for (int i = 0; i < 3000; ++i) {
    now += std::chrono::milliseconds(5);
    const auto picked = *policy->pick({kNone, now});
    ++picks[picked];
    const auto latency = picked == 0 ? std::chrono::milliseconds(100) : std::chrono::milliseconds(1);
    endpoints.states[picked]->record(Outcome::kSuccess, latency, now);
  }
  EXPECT_LT(picks[0], 300);
  EXPECT_GT(picks[0], 0);
  EXPECT_GT(picks[1], 900);
  EXPECT_GT(picks[2], 900);
}

TEST(P2cEwma, MeasuresWhomNobodyKnowsByOneRequestAtATime) {
  const Endpoints endpoints({1, 1});
  const auto policy = make_policy({PolicyKind::kP2cEwma}, endpoints.states, 5);
  for (int i = 0; i < 100; ++i) endpoints.states[0]->record(Outcome::kSuccess, std::chrono::microseconds(200), kNow);
  ASSERT_EQ(policy->pick({kNone, kNow}), 1U);
  endpoints.states[1]->begin();
  for (int i = 0; i < 100; ++i) EXPECT_EQ(policy->pick({kNone, kNow}), 0U);  // while the one is silent
  endpoints.states[1]->end();
  endpoints.states[1]->record(Outcome::kSuccess, std::chrono::microseconds(100), kNow);
  EXPECT_EQ(policy->pick({kNone, kNow}), 1U);
}

TEST(Ejection, GrowsWithRepetitionAndShrinksInQuietIntervals) {
  EjectionOptions options;
  options.consecutive_failures = 2;
  options.base_time = Duration{1000};
  options.max_time = Duration{3000};
  options.interval = Duration{10'000};
  const Endpoints endpoints({1}, options);
  EndpointState& state = *endpoints.states[0];
  TimePoint now = kNow;
  for (const int seconds : {1, 2, 3, 3}) {
    state.record(Outcome::kTimeout, {}, now);
    EXPECT_EQ(state.record(Outcome::kReset, {}, now), seconds == 1 ? Change::kEjected : Change::kNone);
    EXPECT_TRUE(state.is_ejected(now + std::chrono::milliseconds(seconds * 1000 - 1))) << seconds;
    now += std::chrono::seconds(seconds);
    EXPECT_FALSE(state.is_ejected(now)) << seconds;
  }
  EXPECT_EQ(state.record(Outcome::kServerError, std::chrono::milliseconds(1), now), Change::kNone);
  EXPECT_EQ(state.record(Outcome::kSuccess, std::chrono::milliseconds(1), now), Change::kRecovered);
  EXPECT_EQ(state.record(Outcome::kSuccess, std::chrono::milliseconds(1), now), Change::kNone);
  // One answer is not yet forgiveness: four times out, three quiet intervals, the second step again.
  now += 3 * options.interval;
  state.record(Outcome::kReset, {}, now);
  EXPECT_FALSE(state.is_ejected(now));
  state.record(Outcome::kReset, {}, now);
  EXPECT_TRUE(state.is_ejected(now + std::chrono::milliseconds(1999)));
  EXPECT_FALSE(state.is_ejected(now + std::chrono::milliseconds(2000)));
  now += 100 * options.interval;
  EXPECT_EQ(state.record(Outcome::kReset, {}, now), Change::kEjected);
  EXPECT_FALSE(state.is_ejected(now + std::chrono::seconds(1)));
}

constexpr PolicyKind kAll[] = {PolicyKind::kRoundRobin, PolicyKind::kLeastConn, PolicyKind::kP2cEwma,
                               PolicyKind::kRandom};

TEST(EveryPolicy, HasAName) {
  for (const auto kind : kAll) EXPECT_EQ(parse_policy(to_string(kind)), kind);
  for (const char* text : {"", "Random", "ROUND_ROBIN", "round_robin "}) EXPECT_EQ(parse_policy(text), std::nullopt);
}

TEST(EveryPolicy, PicksNobodyWhereThereIsNobody) {
  for (const auto kind : kAll) {
    for (const auto& weights : {std::vector<std::uint32_t>{}, std::vector<std::uint32_t>{0}}) {
      const Endpoints endpoints(weights);
      EXPECT_EQ(make_policy({kind}, endpoints.states, 7)->pick({kNone, kNow}), std::nullopt);
    }
  }
}

TEST(EveryPolicy, PicksTheSameWithTheSameSeedAndSpreadsWithOthers) {
  for (const auto kind : kAll) {
    const Endpoints endpoints({1, 1, 1, 1, 1});
    std::map<char, int> firsts;
    for (std::uint64_t seed = 0; seed < 100; ++seed) {
      const auto one = make_policy({kind}, endpoints.states, seed);
      const auto other = make_policy({kind}, endpoints.states, seed);
      const std::string picks = order(*one, 20);
      EXPECT_EQ(order(*other, 20), picks);
      ++firsts[picks[0]];
    }
    // Not all workers begin with the same endpoint.
    EXPECT_GE(firsts.size(), 4U) << to_string(kind);
  }
}

TEST(EveryPolicy, SpreadsEvenlyOverEquals) {
  for (const auto kind : kAll) {
    const Endpoints endpoints({1, 1, 1, 1});
    const auto policy = make_policy({kind}, endpoints.states, 11);
    const std::string picks = order(*policy, 4000);
    for (const char c : {'a', 'b', 'c', 'd'}) EXPECT_NEAR(std::ranges::count(picks, c), 1000, 150) << to_string(kind);
  }
}

TEST(EveryPolicy, WalksOverManyEndpointsOnceEach) {
  for (const auto kind : kAll) {
    const Endpoints endpoints(std::vector<std::uint32_t>(64, 1));
    const auto policy = make_policy({kind}, endpoints.states, 1);
    TriedSet tried;
    for (int i = 0; i < 64; ++i) {
      const auto picked = policy->pick({tried, kNow});
      ASSERT_TRUE(picked.has_value());
      ASSERT_FALSE(tried.has(endpoints.states[*picked]->id()));
      tried.add(endpoints.states[*picked]->id());
    }
    EXPECT_EQ(policy->pick({tried, kNow}), std::nullopt);
  }
}

TEST(TriedSet, KnowsAnyNumber) {
  TriedSet tried;
  EXPECT_TRUE(tried.empty());
  for (std::uint64_t id = 0; id < 3000; id += 3) {
    EXPECT_FALSE(tried.has(id));
    tried.add(id);
    tried.add(id);
  }
  EXPECT_EQ(tried.size(), 1000U);
  for (std::uint64_t id = 0; id < 3000; ++id) EXPECT_EQ(tried.has(id), id % 3 == 0);
}

TEST(EveryPolicy, GoesOnWithTheRestAndTakesTheOneThatCameBack) {
  for (const auto kind : kAll) {
    const Endpoints endpoints({1, 1});
    const auto policy = make_policy({kind}, endpoints.states, 2);
    fail(*endpoints.states[0]);
    for (int i = 0; i < 20; ++i) EXPECT_EQ(policy->pick({kNone, kNow}), 1U) << to_string(kind);
    std::map<std::size_t, int> picks;
    for (int i = 0; i < 100; ++i) ++picks[*policy->pick({kNone, kNow + std::chrono::seconds(5)})];
    // All of it again, but no burst to make up for the time away.
    EXPECT_GT(picks[0], 20) << to_string(kind);
    if (kind != PolicyKind::kP2cEwma) {
      EXPECT_NEAR(picks[0], 50, 1) << to_string(kind);
    }
  }
}

TEST(EveryPolicy, IgnoresEjectionWhereTooManyAreEjected) {
  struct Case {
    std::uint32_t max_percent;
    int failed;  // of four
    bool respected;
  };
  const Case cases[] = {{100, 3, true}, {100, 4, false}, {50, 2, true}, {50, 3, false}, {0, 1, false}, {75, 3, true}};
  for (const auto kind : kAll) {
    for (const Case& each : cases) {
      EjectionOptions options;
      options.max_percent = each.max_percent;
      const Endpoints endpoints({1, 1, 1, 1}, options);
      for (int i = 0; i < each.failed; ++i) fail(*endpoints.states[i]);
      const auto policy = make_policy({kind}, endpoints.states, 3);
      int to_failed = 0;
      for (int i = 0; i < 100; ++i)
        to_failed += *policy->pick({kNone, kNow}) < static_cast<std::size_t>(each.failed) ? 1 : 0;
      EXPECT_EQ(to_failed == 0, each.respected) << to_string(kind) << " " << each.max_percent << " " << each.failed;
    }
  }
}

TEST(RoundRobin, FollowsEveryMixOfWeights) {
  const std::vector<std::uint32_t> mixes[] = {{1}, {1, 1}, {3, 2, 1}, {1000, 1}, {7, 0, 3}, {2, 2, 2, 2}, {10, 20, 70}};
  for (const auto& weights : mixes) {
    const Endpoints endpoints(weights);
    const auto policy = make_policy({PolicyKind::kRoundRobin}, endpoints.states, 0);
    std::size_t total = 0;
    for (const auto weight : weights) total += weight;
    // After each whole turn everybody has had exactly his share.
    for (int turn = 0; turn < 3; ++turn) {
      std::vector<std::uint32_t> picks(weights.size());
      for (std::size_t i = 0; i < total; ++i) ++picks[*policy->pick({kNone, kNow})];
      EXPECT_EQ(picks, weights);
    }
  }
}

TEST(LeastConn, GivesTheIdleEverythingUntilTheyAreEven) {
  const Endpoints endpoints({1, 1, 1});
  for (int i = 0; i < 10; ++i) endpoints.states[0]->begin();
  for (int i = 0; i < 4; ++i) endpoints.states[1]->begin();
  const auto policy = make_policy({PolicyKind::kLeastConn}, endpoints.states, 9);
  for (int i = 0; i < 16; ++i) {
    const auto picked = *policy->pick({kNone, kNow});
    EXPECT_NE(picked, 0U);
    endpoints.states[picked]->begin();
  }
  EXPECT_EQ(endpoints.states[1]->in_flight(), 10U);
  EXPECT_EQ(endpoints.states[2]->in_flight(), 10U);
}

TEST(P2cEwma, AlwaysPrefersTheBetterOfTwo) {
  const Endpoints endpoints({1, 1});
  endpoints.states[0]->record(Outcome::kSuccess, std::chrono::milliseconds(2), kNow);
  endpoints.states[1]->record(Outcome::kSuccess, std::chrono::milliseconds(1), kNow);
  const auto policy = make_policy({PolicyKind::kP2cEwma}, endpoints.states, 4);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(policy->pick({kNone, kNow}), 1U);
  endpoints.states[1]->begin();
  endpoints.states[1]->begin();
  for (int i = 0; i < 50; ++i) EXPECT_EQ(policy->pick({kNone, kNow}), 0U);
}

}  // namespace
}  // namespace rproxy::balance
