#include "limit/gcra.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace rproxy::limit {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kNow = 3'600 * kSecond;

Gcra gcra(std::uint64_t count, Duration per, std::uint32_t burst) { return Gcra::make({count, per}, burst).value(); }

// A bucket, and what it decides.
struct Bucket {
  Gcra limit;
  std::uint64_t tat = 0;

  Decision take(std::uint64_t now, std::uint32_t cost = 1) {
    const auto [decision, next] = limit.decide(tat, now, cost);
    tat = next;
    return decision;
  }
};

TEST(Gcra, AllowsTheBurstAtOnceAndThenOneEachInterval) {
  Bucket bucket{gcra(10, Duration(1'000), 3)};
  const std::uint64_t interval = kSecond / 10;
  for (std::uint32_t left : {2U, 1U, 0U}) {
    const Decision decision = bucket.take(kNow);
    EXPECT_TRUE(decision.allowed);
    EXPECT_EQ(decision.remaining, left);
    EXPECT_EQ(decision.retry_after.count(), 0);
    EXPECT_EQ(static_cast<std::uint64_t>(decision.reset.count()), (3 - left) * interval);
  }
  const Decision refused = bucket.take(kNow + 1);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.remaining, 0U);
  EXPECT_EQ(refused.retry_after, nanoseconds(interval - 1));
  EXPECT_EQ(refused.reset, nanoseconds(3 * interval - 1));
  EXPECT_FALSE(bucket.take(kNow + interval - 1).allowed);
  EXPECT_TRUE(bucket.take(kNow + interval).allowed);
  EXPECT_FALSE(bucket.take(kNow + interval).allowed);
  // After a rest of three intervals and more it is a burst again, and no more than that.
  int allowed = 0;
  while (bucket.take(kNow + 3'600 * kSecond).allowed) ++allowed;
  EXPECT_EQ(allowed, 3);
}

TEST(Gcra, RefusesWhatIsOutOfBoundsAndSaysWhatTheBoundIs) {
  struct Case {
    Rate rate;
    std::uint32_t burst;
    const char* expected;
  };
  const Case cases[] = {
      {{0, Duration(1'000)}, 1, "at least one request"},
      {{1, Duration(0)}, 1, "1ms to 366d"},
      {{1, Duration(-5)}, 1, "1ms to 366d"},
      {{1, Duration(std::chrono::hours(24 * 366)) + Duration(1)}, 1, "1ms to 366d"},
      {{1, Duration::max()}, 1, "1ms to 366d"},
      {{1, Duration(1'000)}, 0, "at least 1"},
      {{1'000'001, Duration(1'000)}, 1, "at most 1000000/s"},
      {{UINT64_MAX, Duration(1'000)}, 1, "at most 1000000/s"},
      {{1'001, Duration(1)}, 1, "at most 1000000/s"},
      {{1, Duration(std::chrono::hours(24 * 366))}, 11, "at most 10"},
      {{1, Duration(1'000)}, UINT32_MAX, "ten years"},
  };
  for (const auto& each : cases) {
    const auto made = Gcra::make(each.rate, each.burst);
    ASSERT_FALSE(made) << each.expected;
    EXPECT_EQ(made.error().code, ErrorCode::kConfig);
    EXPECT_NE(made.error().context.find(each.expected), std::string::npos) << made.error().context;
  }
  EXPECT_TRUE(Gcra::make({1'000'000, Duration(1'000)}, UINT32_MAX));
  EXPECT_TRUE(Gcra::make({1, Duration(std::chrono::hours(24 * 366))}, 10));
}

TEST(Gcra, AllowsAfterRetryAfterAndNotANanosecondEarlier) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 20'000; ++i) {
    const Duration per(1 + random() % 100'000);
    const std::uint64_t count = 1 + random() % static_cast<std::uint64_t>(per.count());
    const auto burst = static_cast<std::uint32_t>(1 + random() % 50);
    const Gcra limit = gcra(count, per, burst);
    const std::uint64_t tat = kNow - kSecond + random() % (2 * kSecond);
    const auto cost = static_cast<std::uint32_t>(random() % (burst + 2));
    const auto [decision, next] = limit.decide(tat, kNow, cost);
    if (cost > burst) {
      EXPECT_FALSE(decision.allowed);
      EXPECT_EQ(decision.retry_after, Decision::kNever);
      continue;
    }
    EXPECT_EQ(decision.allowed, decision.retry_after.count() == 0);
    if (!decision.allowed) {
      const std::uint64_t then = kNow + static_cast<std::uint64_t>(decision.retry_after.count());
      EXPECT_TRUE(limit.decide(next, then, cost).decision.allowed);
      EXPECT_FALSE(limit.decide(next, then - 1, cost).decision.allowed);
    }
    EXPECT_EQ(limit.decide(next, kNow + static_cast<std::uint64_t>(decision.reset.count()), 0).decision.remaining,
              burst);
    // What is said to remain does, and no more.
    EXPECT_TRUE(decision.remaining == 0 || limit.decide(next, kNow, decision.remaining).decision.allowed);
    EXPECT_FALSE(limit.decide(next, kNow, decision.remaining + 1).decision.allowed);
  }
}

TEST(Gcra, KeepsToTheRateOverALongTime) {
  struct Case {
    std::uint64_t count;
    Duration per;
  };
  for (const auto& [count, per] : {Case{3, Duration(1'000)}, Case{7, Duration(1'000)}, Case{999'999, Duration(1'000)},
                                   Case{100, Duration(60'000)}, Case{1'000'000, Duration(1'000)}}) {
    Bucket bucket{gcra(count, per, 5)};
    const auto step = static_cast<std::uint64_t>(bucket.limit.interval().count()) / 3 + 1;
    std::uint64_t allowed = 0;
    std::uint64_t at = kNow;
    for (int i = 0; i < 300'000; ++i, at += step) allowed += bucket.take(at).allowed ? 1 : 0;
    const double fair = static_cast<double>(at - step - kNow) * static_cast<double>(count) /
                        static_cast<double>(nanoseconds(per).count());
    EXPECT_LE(static_cast<double>(allowed), fair + 5.0 + 1e-6) << count;
    EXPECT_GE(static_cast<double>(allowed), fair * 0.999 + 4.0 - 1.0) << count;
  }
}

TEST(Gcra, TakesCostsAndNothingForWhatIsRefused) {
  Bucket bucket{gcra(10, Duration(1'000), 10)};
  EXPECT_TRUE(bucket.take(kNow, 7).allowed);
  EXPECT_FALSE(bucket.take(kNow, 4).allowed);
  EXPECT_EQ(bucket.take(kNow, 0).remaining, 3U);
  EXPECT_TRUE(bucket.take(kNow, 3).allowed);
  const Decision never = bucket.take(kNow, 11);
  EXPECT_FALSE(never.allowed);
  EXPECT_EQ(never.retry_after, Decision::kNever);
  EXPECT_EQ(never.remaining, 0U);
}

TEST(Gcra, ACostOfNothingLeavesNoTrace) {
  Bucket bucket{gcra(1, Duration(1'000), 2)};
  const Decision decision = bucket.take(kNow, 0);
  EXPECT_TRUE(decision.allowed);
  EXPECT_EQ(decision.remaining, 2U);
  EXPECT_EQ(bucket.tat, 0U);
}

TEST(Gcra, TakesADebtOfAnotherRateForTheLargestOfItsOwn) {
  Bucket bucket{gcra(1, Duration(std::chrono::hours(24)), 5)};
  while (bucket.take(kNow).allowed) continue;
  bucket.limit = gcra(10, Duration(1'000), 5);
  const Decision refused = bucket.take(kNow);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after, nanoseconds(kSecond / 10));
  EXPECT_TRUE(bucket.take(kNow + kSecond / 10).allowed);
}

TEST(Gcra, HoldsForAThreadWhoseClockIsBehind) {
  Bucket bucket{gcra(10, Duration(1'000), 1)};
  EXPECT_TRUE(bucket.take(kNow).allowed);
  const Decision refused = bucket.take(kNow - 5'000'000);
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.retry_after, nanoseconds(105'000'000));
  EXPECT_TRUE(bucket.take(kNow + kSecond / 10).allowed);
}

TEST(Gcra, OverflowsForNoStateAndTime) {
  const std::uint64_t latest = nanoseconds_of(TimePoint::max());
  EXPECT_EQ(nanoseconds_of(TimePoint::min()), 0U);
  const Gcra limits[] = {gcra(1, Duration(std::chrono::hours(24 * 366)), 10),
                         gcra(1'000'000, Duration(1'000), UINT32_MAX), gcra(1, Duration(1), 1)};
  for (const Gcra& limit : limits) {
    for (const std::uint64_t now : {std::uint64_t{0}, latest}) {
      for (const std::uint64_t tat : {std::uint64_t{0}, latest, UINT64_MAX >> 1}) {
        for (const std::uint32_t cost : {0U, 1U, limit.burst(), UINT32_MAX}) {
          const auto [decision, next] = limit.decide(tat, now, cost);
          EXPECT_GE(decision.retry_after.count(), 0);
          EXPECT_GE(decision.reset.count(), 0);
          EXPECT_LE(decision.remaining, limit.burst());
          EXPECT_LT(next, std::uint64_t{1} << 62);
        }
      }
    }
  }
}

TEST(SecondsUp, LetWhoWaitsSoLongIn) {
  EXPECT_EQ(seconds_up(nanoseconds(0)), 0);
  EXPECT_EQ(seconds_up(nanoseconds(1)), 1);
  EXPECT_EQ(seconds_up(nanoseconds(1'000'000'000)), 1);
  EXPECT_EQ(seconds_up(nanoseconds(1'000'000'001)), 2);
  EXPECT_EQ(seconds_up(Decision::kNever), 9'223'372'037);
}

}  // namespace
}  // namespace rproxy::limit
