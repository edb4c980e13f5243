// What one endpoint's numbers say about it; time is an argument.
#include "balance/endpoint.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "balance/waiting.h"

namespace rproxy::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const TimePoint kNow = TimePoint{} + std::chrono::hours(1);

EndpointState endpoint(std::uint32_t weight = 1, const EjectionOptions& ejection = {}) {
  EndpointOptions options{HostPort::parse("10.0.0.1:80").value()};
  options.weight = weight;
  return {std::move(options), std::make_shared<Peers>(ejection)};
}

EjectionOptions after(std::uint32_t failures, Duration base = Duration{1'000}, Duration max = Duration{8'000}) {
  EjectionOptions options;
  options.consecutive_failures = failures;
  options.base_time = base;
  options.max_time = max;
  return options;
}

// 's'uccess, 'c'onnect failed, 'r'eset, 't'imeout, server 'e'rror, '-' cancelled.
void record(EndpointState& state, const std::string& outcomes, TimePoint now = kNow) {
  for (const char c : outcomes) {
    const Outcome outcome = c == 's'   ? Outcome::kSuccess
                            : c == 'c' ? Outcome::kConnectFailed
                            : c == 'r' ? Outcome::kReset
                            : c == 't' ? Outcome::kTimeout
                            : c == 'e' ? Outcome::kServerError
                                       : Outcome::kCancelled;
    state.record(outcome, milliseconds(1), now);
  }
}

TEST(Ejection, NeedsSoManyFailuresInARow) {
  const std::pair<const char*, bool> cases[] = {
      {"", false},    {"cc", false},  {"crt", true},  {"ccc", true},  {"ccscc", false}, {"ccecc", false},
      {"cc-c", true}, {"---", false}, {"eee", false}, {"sccc", true}, {"cccs", true},   {"cccccc", true},
  };
  for (const auto& [outcomes, ejected] : cases) {
    EndpointState state = endpoint(1, after(3));
    record(state, outcomes);
    EXPECT_EQ(state.is_ejected(kNow), ejected) << outcomes;
  }
}

// 's'uccess at the head; 'w'hole content, or 'x' cut short.
void record_contents(EndpointState& state, const std::string& outcomes, TimePoint now = kNow) {
  for (const char c : outcomes) {
    if (c == 'x') state.record_cut(now);
    if (c == 'w') state.record_whole();
    if (c != 'x' && c != 'w') record(state, std::string(1, c), now);
  }
}

TEST(Ejection, OfWhoCutsAnswersShortIsNotPutOffByTheirHeads) {
  const std::pair<const char*, bool> cases[] = {
      {"xx", false}, {"xxx", true},     {"sxsxsx", true},    {"ssssxxx", true}, {"sxsxswsx", false},
      {"w", false},  {"sxsxss", false}, {"sxsxsswx", false}, {"sxcsxc", false},
  };
  for (const auto& [outcomes, ejected] : cases) {
    EndpointState state = endpoint(1, after(3));
    record_contents(state, outcomes);
    EXPECT_EQ(state.is_ejected(kNow), ejected) << outcomes;
  }
  EndpointState left_to_it = endpoint(1, after(0));
  record_contents(left_to_it, std::string(1'000, 'x'));
  EXPECT_FALSE(left_to_it.is_ejected(kNow));
}

TEST(Ejection, OfWhoCutsAnswersShortComesAtOnceAfterIt) {
  EndpointState state = endpoint(1, after(3));
  record_contents(state, "sxsxsx");
  const TimePoint back = state.ejected_until();
  EXPECT_FALSE(state.is_ejected(back));
  record_contents(state, "sx", back);
  EXPECT_TRUE(state.is_ejected(back));
  const TimePoint again = state.ejected_until();
  record_contents(state, "swsxsx", again);
  EXPECT_FALSE(state.is_ejected(again)) << "it has been well between";
}

TEST(Ejection, IsOffWithZeroFailures) {
  EndpointState state = endpoint(1, after(0));
  record(state, std::string(100, 'c'));
  EXPECT_FALSE(state.is_ejected(kNow));
}

TEST(Ejection, LastsItsTimeAndFailuresMeanwhileDoNotAddToIt) {
  EndpointState state = endpoint(1, after(2));
  record(state, "cc");
  record(state, "cccc", kNow + milliseconds(500));
  EXPECT_TRUE(state.is_ejected(kNow + milliseconds(999)));
  EXPECT_FALSE(state.is_ejected(kNow + milliseconds(1000)));
}

TEST(Ejection, ComesAtOnceForWhoFailsAgainAndDoublesToItsLongest) {
  EndpointState state = endpoint(1, after(3, Duration{1'000}, Duration{5'000}));
  record(state, "ccc");
  TimePoint back = kNow + seconds(1);
  for (const int lasts : {2, 4, 5, 5, 5}) {
    ASSERT_FALSE(state.is_ejected(back));
    record(state, "c", back);
    EXPECT_TRUE(state.is_ejected(back + seconds(lasts) - milliseconds(1))) << lasts;
    back += seconds(lasts);
  }
}

TEST(Ejection, DoesNotOverflowHoweverOftenItGrew) {
  EndpointState state = endpoint(1, after(1, std::chrono::hours(24 * 365), std::chrono::hours(24 * 365)));
  TimePoint now = kNow;
  for (int i = 0; i < 100; ++i) {
    record(state, "c", now);
    ASSERT_TRUE(state.is_ejected(now + std::chrono::hours(24 * 365) - seconds(1)));
    ASSERT_FALSE(state.is_ejected(now + std::chrono::hours(24 * 365)));
    now += std::chrono::hours(24 * 365);
  }
}

TEST(Ejection, IsForgottenByTimeAndNotByOneSuccess) {
  for (const int quiet : {9, 10}) {
    EndpointState state = endpoint(1, after(1));
    record(state, "c");
    record(state, "s", kNow + seconds(1));
    const TimePoint again = kNow + seconds(1 + quiet);
    record(state, "c", again);
    // The second in a row, or the first again.
    EXPECT_EQ(state.is_ejected(again + seconds(1)), quiet < 10);
    EXPECT_FALSE(state.is_ejected(again + seconds(2)));
  }
}

TEST(Ejection, TakesThreeFailuresAgainAfterASuccess) {
  EndpointState state = endpoint(1, after(3));
  record(state, "ccc");
  record(state, "scc", kNow + seconds(1));
  EXPECT_FALSE(state.is_ejected(kNow + seconds(1)));
  record(state, "c", kNow + seconds(1));
  EXPECT_TRUE(state.is_ejected(kNow + seconds(1)));
}

TEST(ExpectedLatency, TakesASlowAnswerAtOnceAndForgetsItOverTime) {
  EndpointState state = endpoint();
  state.record(Outcome::kSuccess, milliseconds(10), kNow);
  const double quick = state.expected_latency_ns(kNow);
  state.record(Outcome::kSuccess, milliseconds(1000), kNow);
  EXPECT_NEAR(state.expected_latency_ns(kNow) / quick, 100, 0.1);
  // A quick answer in the same moment changes nothing, one much later nearly all.
  state.record(Outcome::kSuccess, milliseconds(10), kNow);
  EXPECT_NEAR(state.expected_latency_ns(kNow) / quick, 100, 0.1);
  state.record(Outcome::kSuccess, milliseconds(10), kNow + seconds(10));
  EXPECT_NEAR(state.expected_latency_ns(kNow + seconds(10)) / quick, 1 + 99 / 2.71828, 0.1);
  state.record(Outcome::kSuccess, milliseconds(10), kNow + seconds(200));
  EXPECT_NEAR(state.expected_latency_ns(kNow + seconds(200)) / quick, 1, 0.1);
}

TEST(ExpectedLatency, OfWhoIsLeftAloneFalls) {
  EndpointState state = endpoint();
  state.record(Outcome::kSuccess, seconds(1), kNow);
  double before = state.expected_latency_ns(kNow);
  for (const int later : {5, 10, 30, 100}) {
    EXPECT_LT(state.expected_latency_ns(kNow + seconds(later)), before) << later;
    before = state.expected_latency_ns(kNow + seconds(later));
  }
}

TEST(ExpectedLatency, IsMeasuredWhereSomebodyWaited) {
  for (const auto outcome : {Outcome::kConnectFailed, Outcome::kReset}) {
    EndpointState state = endpoint(1, after(0));
    const double before = state.expected_latency_ns(kNow);
    state.record(outcome, seconds(5), kNow);
    EXPECT_DOUBLE_EQ(state.expected_latency_ns(kNow), before);
  }
  // Who had another answer has waited so long at least; who has not waited knows nothing.
  EndpointState given_up = endpoint();
  given_up.record(Outcome::kCancelled, seconds(0), kNow);
  EXPECT_DOUBLE_EQ(given_up.expected_latency_ns(kNow), endpoint().expected_latency_ns(kNow));
  EXPECT_EQ(given_up.record(Outcome::kCancelled, seconds(5), kNow), Change::kNone);
  EXPECT_GT(given_up.expected_latency_ns(kNow), 4e9);
  for (const auto outcome : {Outcome::kServerError, Outcome::kGatewayError, Outcome::kTimeout}) {
    EndpointState state = endpoint();
    state.record(outcome, seconds(5), kNow);
    EXPECT_GT(state.expected_latency_ns(kNow), 4e9);
  }
}

TEST(ExpectedLatency, BearsAClockThatStandsStillOrGoesBack) {
  EndpointState state = endpoint();
  state.record(Outcome::kSuccess, milliseconds(10), kNow);
  state.record(Outcome::kSuccess, milliseconds(1), kNow - seconds(5));
  EXPECT_GT(state.expected_latency_ns(kNow - seconds(9)), 0);
  EXPECT_LE(state.expected_latency_ns(kNow - seconds(9)), 10e6 + 1);
}

TEST(ExpectedLatency, IsNoLessThanThoseThatWaitHaveWaited) {
  EndpointState state = endpoint();
  state.record(Outcome::kSuccess, milliseconds(1), kNow);
  {
    const Waiting first(state, kNow);
    EXPECT_NEAR(state.expected_latency_ns(kNow), 1e6, 1e5);
    EXPECT_NEAR(state.expected_latency_ns(kNow + seconds(3)), 3e9, 1e6);
    const Waiting second(state, kNow + seconds(2));
    EXPECT_NEAR(state.expected_latency_ns(kNow + seconds(3)), 2e9, 1e6);
  }
  // They are gone, and the last that was known is believed again, the less the older.
  EXPECT_LT(state.expected_latency_ns(kNow + seconds(3)), 1e6);
}

TEST(ExpectedLatency, OfManyThatWaitDoesNotOverflow) {
  // A machine that has been up for ten years.
  const TimePoint now = TimePoint{} + std::chrono::hours(24 * 3652);
  EndpointState state = endpoint();
  state.record(Outcome::kSuccess, milliseconds(1), now);
  std::vector<Waiting> waiting;
  for (int i = 0; i < 100'000; ++i) waiting.emplace_back(state, now);
  EXPECT_NEAR(state.expected_latency_ns(now + seconds(60)), 60e9, 1e6);
  waiting.clear();
  EXPECT_NEAR(state.expected_latency_ns(now), 1e6, 10);
}

TEST(ExpectedLatency, IsBelievedInFullWhileOneFindsOut) {
  EndpointState state = endpoint();
  state.record(Outcome::kTimeout, seconds(10), kNow);
  const TimePoint later = kNow + std::chrono::minutes(3);
  EXPECT_LT(state.expected_latency_ns(later), 1e6);
  const Waiting probe(state, later);
  EXPECT_GE(state.expected_latency_ns(later), 10e9);
}

}  // namespace
}  // namespace rproxy::balance
