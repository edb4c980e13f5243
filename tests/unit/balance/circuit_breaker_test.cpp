#include "balance/circuit_breaker.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace rproxy::balance {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Resource = CircuitBreaker::Resource;
using State = CircuitBreaker::State;

const TimePoint kNow = TimePoint{} + std::chrono::hours(1);

LimitOptions breaking() {
  LimitOptions options;
  options.error_percent = 50;
  options.error_requests = 10;
  options.open_time = Duration{5'000};
  options.probes = 2;
  return options;
}

void serve(CircuitBreaker& breaker, int good, int bad, TimePoint now) {
  for (int i = 0; i < good + bad; ++i) {
    if (auto admitted = breaker.admit(now)) admitted->end(i < good, now);
  }
}

TEST(Limits, EachResourceHasItsOwnMaximum) {
  LimitOptions options;
  options.max_connections = 1;
  options.max_pending = 2;
  options.max_retries = 3;
  CircuitBreaker breaker(options);
  std::uint32_t most = 1;
  for (const auto resource : {Resource::kConnections, Resource::kPending, Resource::kRetries}) {
    std::vector<CircuitBreaker::Permit> permits;
    while (auto permit = breaker.try_acquire(resource)) permits.push_back(std::move(*permit));
    EXPECT_EQ(permits.size(), most);
    EXPECT_EQ(breaker.in_use(resource), most);
    permits.pop_back();
    EXPECT_TRUE(breaker.try_acquire(resource).has_value());
    permits.clear();
    EXPECT_EQ(breaker.in_use(resource), 0U);
    ++most;
  }
}

TEST(Limits, ZeroIsNoLimit) {
  CircuitBreaker breaker({});
  std::vector<CircuitBreaker::Permit> permits;
  for (int i = 0; i < 1'000; ++i) permits.push_back(std::move(*breaker.try_acquire(Resource::kRetries)));
  EXPECT_EQ(breaker.in_use(Resource::kRetries), 1'000U);
}

TEST(Limits, AreExactWhicheverThreadsAsk) {
  LimitOptions options;
  options.max_retries = 5;
  CircuitBreaker breaker(options);
  std::atomic<int> inside{0};
  std::atomic<bool> is_over{false};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 20'000; ++k) {
        const auto permit = breaker.try_acquire(Resource::kRetries);
        if (!permit) continue;
        if (inside.fetch_add(1) >= 5) is_over = true;
        inside.fetch_sub(1);
      }
    });
  }
  threads.clear();
  EXPECT_FALSE(is_over);
  EXPECT_EQ(breaker.in_use(Resource::kRetries), 0U);
}

TEST(Breaker, OpensWhenTooManyFailAndNotBefore) {
  struct Case {
    int good;
    int bad;
    State state;
  };
  for (const Case& each : {Case{0, 9, State::kClosed}, Case{0, 10, State::kOpen}, Case{10, 9, State::kClosed},
                           Case{10, 10, State::kOpen}, Case{1000, 900, State::kClosed}, Case{5, 5, State::kOpen}}) {
    CircuitBreaker breaker(breaking());
    serve(breaker, each.good, each.bad, kNow);
    EXPECT_EQ(breaker.state(), each.state) << each.good << " " << each.bad;
    EXPECT_EQ(breaker.admit(kNow).has_value(), each.state == State::kClosed);
  }
}

TEST(Breaker, ForgetsWhatIsTenSecondsOld) {
  CircuitBreaker breaker(breaking());
  serve(breaker, 0, 9, kNow);
  serve(breaker, 0, 1, kNow + seconds(10));
  EXPECT_EQ(breaker.state(), State::kClosed);
  serve(breaker, 0, 9, kNow + seconds(19));
  EXPECT_EQ(breaker.state(), State::kOpen);
}

TEST(Breaker, LetsSoManyProbesThroughAndClosesWhenTheyDoWell) {
  CircuitBreaker breaker(breaking());
  serve(breaker, 0, 10, kNow);
  EXPECT_EQ(breaker.opens_until(), kNow + seconds(5));
  EXPECT_FALSE(breaker.admit(kNow + milliseconds(4'999)));
  const TimePoint then = kNow + seconds(5);
  auto one = breaker.admit(then);
  auto two = breaker.admit(then);
  ASSERT_TRUE(one && two);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  EXPECT_FALSE(breaker.admit(then));
  one->end(true, then);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
  two->end(true, then);
  EXPECT_EQ(breaker.state(), State::kClosed);
  // With a clean slate.
  serve(breaker, 0, 9, then);
  EXPECT_EQ(breaker.state(), State::kClosed);
}

TEST(Breaker, OpensAgainWhenOneProbeFails) {
  CircuitBreaker breaker(breaking());
  serve(breaker, 0, 10, kNow);
  const TimePoint then = kNow + seconds(5);
  auto one = breaker.admit(then);
  auto two = breaker.admit(then);
  one->end(false, then);
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_FALSE(breaker.admit(then + milliseconds(4'999)));
  // The other's end is of a time that is over.
  two->end(true, then + milliseconds(1));
  EXPECT_EQ(breaker.state(), State::kOpen);
  EXPECT_TRUE(breaker.admit(then + seconds(5)));
}

TEST(Breaker, GivesTheProbesPlaceOfOneThatWasCancelledToAnother) {
  CircuitBreaker breaker(breaking());
  serve(breaker, 0, 10, kNow);
  const TimePoint then = kNow + seconds(5);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(breaker.admit(then).has_value()) << i;
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
}

TEST(Breaker, TakesNothingFromRequestsThatBeganBeforeItOpened) {
  CircuitBreaker breaker(breaking());
  auto old = breaker.admit(kNow);
  serve(breaker, 0, 10, kNow);
  const TimePoint then = kNow + seconds(5);
  const auto probe = breaker.admit(then);
  old->end(false, then);
  EXPECT_EQ(breaker.state(), State::kHalfOpen);
}

TEST(Breaker, IsOffByDefault) {
  CircuitBreaker breaker({});
  serve(breaker, 0, 10'000, kNow);
  EXPECT_TRUE(breaker.admit(kNow));
  EXPECT_EQ(breaker.state(), State::kClosed);
}

}  // namespace
}  // namespace rproxy::balance
