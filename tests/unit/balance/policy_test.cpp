#include "balance/policy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace rproxy::balance {
namespace {

class Endpoints {
 public:
  explicit Endpoints(const std::vector<std::uint32_t>& weights, EjectionOptions ejection = {}) {
    for (const auto weight : weights) {
      EndpointOptions options;
      options.weight = weight;
      owned_.push_back(std::make_unique<EndpointState>(options, ejection));
      states.push_back(owned_.back().get());
    }
  }
  std::vector<EndpointState*> states;

 private:
  std::vector<std::unique_ptr<EndpointState>> owned_;
};

const TimePoint kNow = TimePoint{} + std::chrono::hours(1);

std::string order(Policy& policy, int count) {
  std::string picks;
  for (int i = 0; i < count; ++i) picks += static_cast<char>('a' + *policy.pick({}, kNow));
  return picks;
}

TEST(RoundRobin, IsSmoothAndFollowsWeights) {
  const Endpoints endpoints({5, 1, 1});
  const auto policy = make_policy(PolicyKind::kRoundRobin, endpoints.states, 0);
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
    const auto policy = make_policy(kind, endpoints.states, 3);
    for (int i = 0; i < 3; ++i) endpoints.states[2]->record(Outcome::kConnectFailed, {}, kNow);
    EXPECT_TRUE(endpoints.states[2]->is_ejected(kNow));
    TriedSet tried;
    tried.add(0);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(policy->pick(tried, kNow), 3U);
    tried.add(3);
    // An ejected one is better than none.
    EXPECT_EQ(policy->pick(tried, kNow), 2U);
    tried.add(2);
    EXPECT_EQ(policy->pick(tried, kNow), std::nullopt);
  }
}

TEST(LeastConn, PicksTheLeastLoadedForItsWeight) {
  const Endpoints endpoints({1, 3});
  const auto policy = make_policy(PolicyKind::kLeastConn, endpoints.states, 0);
  std::map<std::size_t, int> picks;
  for (int i = 0; i < 40; ++i) {
    const auto picked = *policy->pick({}, kNow);
    endpoints.states[picked]->begin();
    ++picks[picked];
  }
  EXPECT_EQ(picks[1], 30);
}

TEST(P2cEwma, PrefersTheFasterButStarvesNobody) {
  const Endpoints endpoints({1, 1, 1});
  const auto policy = make_policy(PolicyKind::kP2cEwma, endpoints.states, 5);
  std::map<std::size_t, int> picks;
  TimePoint now = kNow;
  for (int i = 0; i < 3000; ++i) {
    now += std::chrono::milliseconds(5);
    const auto picked = *policy->pick({}, now);
    ++picks[picked];
    const auto latency = picked == 0 ? std::chrono::milliseconds(100) : std::chrono::milliseconds(1);
    endpoints.states[picked]->record(Outcome::kSuccess, latency, now);
  }
  EXPECT_LT(picks[0], 300);
  EXPECT_GT(picks[0], 0);
  EXPECT_GT(picks[1], 900);
  EXPECT_GT(picks[2], 900);
}

TEST(Ejection, GrowsWithRepetitionAndEndsBySuccess) {
  EjectionOptions options;
  options.consecutive_failures = 2;
  options.base_time = Duration{1000};
  options.max_time = Duration{3000};
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
  state.record(Outcome::kReset, {}, now);
  EXPECT_FALSE(state.is_ejected(now));
  state.record(Outcome::kReset, {}, now);
  EXPECT_FALSE(state.is_ejected(now + std::chrono::seconds(1)));
}

}  // namespace
}  // namespace rproxy::balance
