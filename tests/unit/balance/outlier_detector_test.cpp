// Who is ejected for doing worse than its peers, and by which rows of errors.
#include "balance/outlier_detector.h"

#include <gtest/gtest.h>

#include "unit/balance/endpoints.h"

namespace rproxy::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

EjectionOptions compared() {
  EjectionOptions options;
  options.consecutive_failures = 0;
  options.interval = Duration{10'000};
  options.success_rate_factor = 190;
  options.latency_factor = 300;
  return options;
}

void serve(EndpointState& state, int good, int bad, milliseconds latency, TimePoint now,
           Outcome error = Outcome::kServerError) {
  for (int i = 0; i < good; ++i) state.record(Outcome::kSuccess, latency, now);
  for (int i = 0; i < bad; ++i) state.record(error, latency, now);
}

// One interval: what each has done, and who is ejected for it.
class Interval {
 public:
  explicit Interval(std::size_t servers, const EjectionOptions& options = compared())
      : endpoints(std::vector<std::uint32_t>(servers, 1), options) {
    detector.sweep(endpoints.states, now);
    now += options.interval;
  }
  std::string ejected() {
    detector.sweep(endpoints.states, now);
    std::string letters;
    for (std::size_t i = 0; i < endpoints.states.size(); ++i) {
      if (endpoints[i].is_ejected(now)) letters += static_cast<char>('a' + i);
    }
    return letters;
  }

  Endpoints endpoints;
  OutlierDetector detector;
  TimePoint now = kNow;
};

TEST(SuccessRate, EjectsWhoIsFarBelowTheMean) {
  for (const auto error : {Outcome::kServerError, Outcome::kGatewayError, Outcome::kReset, Outcome::kTimeout}) {
    Interval interval(6);
    for (std::size_t i = 0; i < 6; ++i)
      serve(interval.endpoints[i], i == 2 ? 100 : 198, i == 2 ? 100 : 2, milliseconds(5), interval.now, error);
    EXPECT_EQ(interval.ejected(), "c");
    EXPECT_EQ(interval.endpoints[2].ejection_cause(), EjectionCause::kSuccessRate);
  }
}

TEST(SuccessRate, LeavesEqualsAlone) {
  Interval interval(6);
  for (std::size_t i = 0; i < 6; ++i) serve(interval.endpoints[i], 100, 100, milliseconds(5), interval.now);
  EXPECT_EQ(interval.ejected(), "");
  // Within 1.9 standard deviations: 50, 60, 70, 80, 90 percent.
  Interval other(5);
  for (std::size_t i = 0; i < 5; ++i)
    serve(other.endpoints[i], 100 + 20 * static_cast<int>(i), 100 - 20 * static_cast<int>(i), milliseconds(5),
          other.now);
  EXPECT_EQ(other.ejected(), "");
}

TEST(SuccessRate, NeedsEnoughServersWithEnoughRequests) {
  struct Case {
    std::size_t servers;
    int requests;
    bool ejects;
  };
  for (const Case& each : {Case{5, 100, true}, Case{4, 100, false}, Case{5, 99, false}, Case{20, 100, true}}) {
    Interval interval(each.servers);
    for (std::size_t i = 0; i < each.servers; ++i)
      serve(interval.endpoints[i], i == 0 ? 0 : each.requests, i == 0 ? each.requests : 0, milliseconds(5),
            interval.now);
    EXPECT_EQ(!interval.ejected().empty(), each.ejects) << each.servers << " " << each.requests;
  }
}

TEST(SuccessRate, CountsEachIntervalByItself) {
  Interval interval(6);
  for (std::size_t i = 0; i < 6; ++i)
    serve(interval.endpoints[i], i == 0 ? 0 : 90, i == 0 ? 90 : 0, milliseconds(5), interval.now);
  EXPECT_EQ(interval.ejected(), "");  // too few
  // Not yet due: the interval goes on.
  for (std::size_t i = 0; i < 6; ++i)
    serve(interval.endpoints[i], i == 0 ? 0 : 90, i == 0 ? 90 : 0, milliseconds(5), interval.now);
  interval.now += seconds(9);
  EXPECT_EQ(interval.ejected(), "");
  interval.now += seconds(1);
  // What was counted before that is forgotten: 90 again, too few.
  EXPECT_EQ(interval.ejected(), "");
}

TEST(Latency, EjectsWhoIsSlowerThanSoManyTimesTheMedian) {
  struct Case {
    int slow_ms;
    bool ejects;
  };
  for (const Case& each : {Case{60, false}, Case{61, true}, Case{1000, true}}) {
    Interval interval(5);
    for (std::size_t i = 0; i < 5; ++i)
      serve(interval.endpoints[i], 200, 0, milliseconds(i == 4 ? each.slow_ms : 20), interval.now);
    EXPECT_EQ(interval.ejected(), each.ejects ? "e" : "") << each.slow_ms;
  }
}

TEST(Latency, IsNotLookedAtBelowTheLeast) {
  Interval interval(5);
  for (std::size_t i = 0; i < 5; ++i) serve(interval.endpoints[i], 200, 0, milliseconds(i == 4 ? 9 : 1), interval.now);
  EXPECT_EQ(interval.ejected(), "");
}

TEST(Outliers, AreEjectedTheWorstFirstUpToTheShare) {
  EjectionOptions options = compared();
  options.success_rate_factor = 10;
  options.max_percent = 20;
  options.latency_factor = 0;
  Interval interval(10, options);
  for (std::size_t i = 0; i < 10; ++i)
    serve(interval.endpoints[i], i < 4 ? 50 + static_cast<int>(i) : 200, i < 4 ? 150 - static_cast<int>(i) : 0,
          milliseconds(5), interval.now);
  EXPECT_EQ(interval.ejected(), "ab");
}

TEST(Outliers, AreNotLookedForUnlessAsked) {
  Interval interval(6, EjectionOptions{});
  for (std::size_t i = 0; i < 6; ++i)
    serve(interval.endpoints[i], i == 0 ? 0 : 200, i == 0 ? 200 : 0, milliseconds(i == 1 ? 9'000 : 5), interval.now);
  EXPECT_EQ(interval.ejected(), "");
}

TEST(Rows, OfServerErrorsGatewayErrorsAndFailuresEachHaveTheirLimit) {
  // 'e' 500, 'g' 503, 'c' a failure, 's' a success.
  struct Case {
    const char* outcomes;
    EjectionCause cause;
  };
  const Case cases[] = {
      {"eeee", EjectionCause::kNone},          {"eeeee", EjectionCause::kServerErrors},
      {"eeeseeee", EjectionCause::kNone},      {"egege", EjectionCause::kServerErrors},
      {"ggg", EjectionCause::kNone},           {"gggg", EjectionCause::kGatewayErrors},
      {"ggegg", EjectionCause::kServerErrors}, {"ggec", EjectionCause::kNone},
      {"ccc", EjectionCause::kFailures},       {"ccgc", EjectionCause::kGatewayErrors},
      {"cecec", EjectionCause::kServerErrors}, {"", EjectionCause::kNone},
  };
  for (const Case& each : cases) {
    EjectionOptions options;
    options.consecutive_failures = 3;
    options.consecutive_5xx = 5;
    options.consecutive_gateway = 4;
    const Endpoints endpoints({1}, options);
    for (const char c : std::string(each.outcomes)) {
      endpoints[0].record(c == 'e'   ? Outcome::kServerError
                          : c == 'g' ? Outcome::kGatewayError
                          : c == 'c' ? Outcome::kConnectFailed
                                     : Outcome::kSuccess,
                          milliseconds(1), kNow);
    }
    EXPECT_EQ(endpoints[0].is_ejected(kNow), each.cause != EjectionCause::kNone) << each.outcomes;
    EXPECT_EQ(endpoints[0].ejection_cause(), each.cause) << each.outcomes;
  }
}

TEST(Rows, OfServerErrorsAreNotLookedAtUnlessAsked) {
  const Endpoints endpoints({1});
  for (int i = 0; i < 1'000; ++i) endpoints[0].record(Outcome::kGatewayError, milliseconds(1), kNow);
  EXPECT_FALSE(endpoints[0].is_ejected(kNow));
}

TEST(EjectedShare, IsNeverExceededButOneMayAlwaysBe) {
  struct Case {
    std::size_t servers;
    std::uint32_t percent;
    std::size_t most;
  };
  for (const Case& each :
       {Case{10, 50, 5}, Case{3, 50, 1}, Case{3, 10, 1}, Case{3, 0, 0}, Case{4, 100, 4}, Case{10, 99, 9}}) {
    EjectionOptions options;
    options.max_percent = each.percent;
    const Endpoints endpoints(std::vector<std::uint32_t>(each.servers, 1), options);
    for (EndpointState* state : endpoints.states) fail(*state);
    EXPECT_EQ(endpoints.peers->ejected(kNow), each.most) << each.servers << " " << each.percent;
    // Who has come back makes room.
    for (EndpointState* state : endpoints.states) fail(*state, kNow + seconds(5));
    EXPECT_EQ(endpoints.peers->ejected(kNow + seconds(5)), each.most);
  }
}

TEST(EjectedShare, ForgetsWhoIsGone) {
  EjectionOptions options;
  options.max_percent = 50;
  auto peers = std::make_shared<Peers>(options);
  EndpointState stays({}, peers);
  {
    EndpointState goes({}, peers);
    fail(goes);
    EXPECT_EQ(peers->ejected(kNow), 1U);
    fail(stays);
    EXPECT_FALSE(stays.is_ejected(kNow));
  }
  EXPECT_EQ(peers->size(), 1U);
  EXPECT_EQ(peers->ejected(kNow), 0U);
  fail(stays);
  EXPECT_TRUE(stays.is_ejected(kNow));
  stays.end_ejection();
  EXPECT_EQ(peers->ejected(kNow), 0U);
}

}  // namespace
}  // namespace rproxy::balance
