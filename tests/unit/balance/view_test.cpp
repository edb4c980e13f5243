// Who may be picked at all, whatever the policy: priorities, backups, slow start, panic, full endpoints.
#include "balance/view.h"

#include <gtest/gtest.h>

#include <thread>

#include "unit/balance/endpoints.h"

namespace rproxy::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr PolicyKind kAll[] = {PolicyKind::kRoundRobin, PolicyKind::kLeastConn, PolicyKind::kP2cEwma,
                               PolicyKind::kRandom, PolicyKind::kHash};

// Which endpoints get any of many requests, as letters.
std::string used(Policy& policy, std::size_t endpoints, TimePoint now = kNow, const TriedSet& tried = kNone) {
  std::string letters;
  const auto count = counts(policy, endpoints, 200, now, tried);
  for (std::size_t i = 0; i < count.size(); ++i) {
    if (count[i] > 0) letters += static_cast<char>('a' + i);
  }
  return letters;
}

TEST(Priorities, OfTheLowestThatHasSomebodyAvailableAllAreUsed) {
  for (const auto kind : kAll) {
    Endpoints endpoints({1, 1});
    endpoints.add(1, 5);
    endpoints.add(1, kBackupPriority);
    const auto policy = make_policy({kind}, endpoints.states, 1);
    EXPECT_EQ(used(*policy, 4), "ab");
    fail(endpoints[0]);
    EXPECT_EQ(used(*policy, 4), "b");
    endpoints[1].set_admin_state(AdminState::kDisabled, kNow);
    EXPECT_EQ(used(*policy, 4), "c");
    endpoints[2].set_health(Health::kUnhealthy, "503", kNow);
    EXPECT_EQ(used(*policy, 4), "d");
    endpoints[2].set_health(Health::kHealthy, "200", kNow);
    EXPECT_EQ(used(*policy, 4), "c");
    endpoints[3].set_priority(0);
    EXPECT_EQ(used(*policy, 4), "d");
    // The ejection's time is over, and nobody has said so.
    EXPECT_EQ(used(*policy, 4, kNow + seconds(5)), "ad");
  }
}

TEST(Priorities, TriedOnesGiveWayToTheNextAndTheUnavailableComeLast) {
  for (const auto kind : kAll) {
    Endpoints endpoints({1, 1});
    endpoints.add(1, kBackupPriority);
    endpoints.add(0);
    endpoints.add(1).set_admin_state(AdminState::kDraining, kNow);
    fail(endpoints[0]);
    const auto policy = make_policy({kind}, endpoints.states, 1);
    TriedSet tried;
    for (const std::size_t expected : {1U, 2U, 0U}) {
      EXPECT_EQ(policy->pick({tried, kNow}), expected) << to_string(kind);
      tried.add(endpoints[expected].id());
    }
    EXPECT_EQ(policy->pick({tried, kNow}), std::nullopt);
    EXPECT_FALSE(policy->is_full({tried, kNow}));
  }
}

TEST(Full, ArePassedOverAndNobodyIsPickedInsteadWhoIsNotWell) {
  for (const auto kind : kAll) {
    Endpoints endpoints({1, 1, 1});
    for (EndpointState* each : endpoints.states) each->set_max_connections(1);
    fail(endpoints[2]);
    const auto policy = make_policy({kind}, endpoints.states, 1);
    EXPECT_EQ(used(*policy, 3), "ab");
    ASSERT_TRUE(endpoints[0].try_begin());
    EXPECT_EQ(used(*policy, 3), "b");
    ASSERT_TRUE(endpoints[1].try_begin());
    EXPECT_FALSE(endpoints[1].try_begin());
    EXPECT_EQ(used(*policy, 3), "");
    EXPECT_TRUE(policy->is_full({kNone, kNow}));
    endpoints[0].end();
    EXPECT_EQ(used(*policy, 3), "a");
    EXPECT_EQ(endpoints.peers->in_flight(), 1U);
  }
}

TEST(Full, IsExactWhicheverThreadsBegin) {
  Endpoints endpoints({1});
  endpoints[0].set_max_connections(7);
  std::atomic<std::uint32_t> inside{0};
  std::atomic<bool> is_over{false};
  std::atomic<int> begun{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20'000; ++k) {
        if (!endpoints[0].try_begin()) continue;
        if (inside.fetch_add(1) >= 7) is_over = true;
        ++begun;
        inside.fetch_sub(1);
        endpoints[0].end();
      }
    });
  }
  threads.clear();
  EXPECT_FALSE(is_over);
  EXPECT_GT(begun, 0);
  EXPECT_EQ(endpoints[0].in_flight(), 0U);
}

TEST(Panic, SpreadsOverAllInServiceWhenTooFewAreAvailable) {
  struct Case {
    std::uint32_t threshold;
    int ejected;  // of four
    std::string used;
  };
  const Case cases[] = {{0, 3, "d"},   {0, 4, "abcd"},  {25, 3, "d"},     {26, 3, "abcd"},
                        {50, 2, "cd"}, {51, 2, "abcd"}, {100, 0, "abcd"}, {100, 1, "abcd"}};
  for (const auto kind : kAll) {
    for (const Case& each : cases) {
      Endpoints endpoints({1, 1, 1, 1});
      endpoints.add(1).set_admin_state(AdminState::kDisabled, kNow);
      endpoints.add(1).set_admin_state(AdminState::kDraining, kNow);
      for (int i = 0; i < each.ejected; ++i) fail(endpoints[static_cast<std::size_t>(i)]);
      PolicyOptions options{kind};
      options.panic_threshold = each.threshold;
      const auto policy = make_policy(options, endpoints.states, 1);
      EXPECT_EQ(used(*policy, 6), each.used) << to_string(kind) << " " << each.threshold << " " << each.ejected;
    }
  }
}

TEST(Health, UnknownIsTrustedOrNot) {
  Endpoints endpoints({1, 1});
  const auto policy = make_policy({PolicyKind::kRoundRobin}, endpoints.states, 1);
  EXPECT_EQ(used(*policy, 2), "ab");
  endpoints.peers->set_trusts_unknown(false);
  endpoints[1].set_health(Health::kHealthy, "answers", kNow);
  EXPECT_EQ(used(*policy, 2), "b");
  EXPECT_EQ(endpoints[1].health_reason(), "answers");
}

TEST(Sticky, DrainingTakesWhatBelongsToItAndDisabledNothing) {
  Endpoints endpoints({1});
  EndpointState& state = endpoints[0];
  state.set_admin_state(AdminState::kDraining, kNow);
  EXPECT_TRUE(state.takes_sticky(kNow));
  EXPECT_FALSE(state.is_available(kNow));
  state.set_health(Health::kUnhealthy, "", kNow);
  EXPECT_FALSE(state.takes_sticky(kNow));
  state.set_health(Health::kHealthy, "", kNow);
  state.set_admin_state(AdminState::kDisabled, kNow);
  EXPECT_FALSE(state.takes_sticky(kNow));
}

TEST(SlowStart, GrowsLinearlyFromATenth) {
  using Begin = void (*)(EndpointState&);
  const Begin ways[] = {
      [](EndpointState& state) { state.begin_slow_start(kNow); },
      [](EndpointState& state) {
        state.set_admin_state(AdminState::kDisabled, kNow - seconds(1));
        state.set_admin_state(AdminState::kEnabled, kNow);
      },
      [](EndpointState& state) {
        state.set_health(Health::kUnhealthy, "", kNow - seconds(1));
        state.set_health(Health::kHealthy, "", kNow);
      },
      [](EndpointState& state) { fail(state, kNow - seconds(5)); },  // out for five seconds
  };
  for (const Begin begin : ways) {
    Endpoints endpoints({1, 1});
    begin(endpoints[0]);
    PolicyOptions options{PolicyKind::kRoundRobin};
    options.slow_start = Duration{10'000};
    const auto policy = make_policy(options, endpoints.states, 1);
    for (const int percent : {10, 28, 55, 82, 100}) {
      const TimePoint now = kNow + milliseconds((percent - 10) * 10'000 / 90 + 1);
      const auto count = counts(*policy, 2, 20'000, now);
      EXPECT_NEAR(count[0] * 100.0 / count[1], percent, 1.5);
    }
  }
}

TEST(SlowStart, HoldsForEachPolicy) {
  for (const auto kind : kAll) {
    Endpoints endpoints({1, 1, 1});
    for (EndpointState* each : endpoints.states) each->record(Outcome::kSuccess, milliseconds(1), kNow);
    endpoints[0].begin_slow_start(kNow);
    PolicyOptions options{kind};
    options.slow_start = Duration{10'000};
    const auto policy = make_policy(options, endpoints.states, 3);
    const auto early = counts(*policy, 3, 3'000, kNow);
    // A tenth of what the others have; of hash a third of a tenth of the keys, as points fall.
    EXPECT_GT(early[0], 30) << to_string(kind);
    EXPECT_LT(early[0], 300) << to_string(kind);
    for (EndpointState* each : endpoints.states) each->record(Outcome::kSuccess, milliseconds(1), kNow + seconds(10));
    EXPECT_GT(counts(*policy, 3, 3'000, kNow + seconds(10))[0], 700) << to_string(kind);
  }
}

TEST(SlowStart, IsNotForThoseThatWereThereAtTheStart) {
  Endpoints endpoints({1, 1});
  endpoints[0].set_health(Health::kHealthy, "first check", kNow);
  const View view = look_at(endpoints.states, {Duration{10'000}, 0}, kNow);
  EXPECT_EQ(view.tiers.at(0).candidates.at(0).ramp, 100U);
  EXPECT_EQ(view.until, TimePoint::max());
}

}  // namespace
}  // namespace rproxy::balance
