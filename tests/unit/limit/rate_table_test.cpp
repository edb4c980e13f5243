#include "limit/rate_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <string>
#include <thread>
#include <vector>

namespace rproxy::limit {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

const TimePoint kNow = TimePoint{} + std::chrono::hours(1);
const KeyHasher kHasher(7);

Gcra gcra(std::uint64_t count, Duration per, std::uint32_t burst) { return Gcra::make({count, per}, burst).value(); }
Key key(std::uint64_t number, std::uint32_t scope = 0) { return kHasher.of(scope, std::to_string(number)); }

// Calls `run(thread)` in so many threads, which begin together.
template <typename Run>
void in_threads(int threads, const Run& run) {
  std::latch all_there(threads);
  std::vector<std::jthread> running;
  for (int i = 0; i < threads; ++i) {
    running.emplace_back([&, i] {
      all_there.arrive_and_wait();
      run(i);
    });
  }
}

TEST(RateTable, KeepsKeysAndLimitsApart) {
  RateTable table(100);
  const Gcra two = gcra(1, Duration(1'000), 2);
  const Gcra one = gcra(1, Duration(60'000), 1);
  EXPECT_TRUE(table.decide(two, key(1, 1), kNow).allowed);
  EXPECT_TRUE(table.decide(two, key(1, 1), kNow).allowed);
  EXPECT_FALSE(table.decide(two, key(1, 1), kNow).allowed);
  EXPECT_TRUE(table.decide(one, key(1, 2), kNow).allowed);
  EXPECT_FALSE(table.decide(one, key(1, 2), kNow).allowed);
  EXPECT_TRUE(table.decide(two, key(2, 1), kNow).allowed);
  EXPECT_EQ(table.count(kNow), 3U);
  EXPECT_TRUE(table.decide(two, key(1, 1), kNow + seconds(1)).allowed);
  EXPECT_FALSE(table.decide(one, key(1, 2), kNow + seconds(1)).allowed);
  table.forget(key(1, 2));
  table.forget(key(99));
  EXPECT_TRUE(table.decide(one, key(1, 2), kNow + seconds(1)).allowed);
}

TEST(RateTable, PeeksWithoutTaking) {
  RateTable table(100);
  const Gcra limit = gcra(1, Duration(1'000), 2);
  EXPECT_EQ(table.peek(limit, key(1), kNow, 0).remaining, 2U);
  EXPECT_EQ(table.count(kNow), 0U);
  table.decide(limit, key(1), kNow, 2);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(table.peek(limit, key(1), kNow).retry_after, seconds(1));
}

TEST(RateTable, HoldsAMillionKeysInTwentyFourBytesEach) {
  constexpr std::size_t kKeys = 1'000'000;
  RateTable table(kKeys);
  EXPECT_LE(table.bytes(), kKeys * 24);
  const Gcra limit = gcra(1, Duration(60'000), 1);
  std::size_t let_in_again = 0;
  for (std::size_t i = 0; i < kKeys; ++i) table.decide(limit, key(i), kNow + nanoseconds(i));
  const TimePoint then = kNow + nanoseconds(kKeys);
  EXPECT_GE(table.count(then), kKeys * 997 / 1000);
  EXPECT_EQ(table.count(then) + table.evictions(), kKeys);
  for (std::size_t i = 0; i < kKeys; ++i) let_in_again += table.peek(limit, key(i), then).allowed ? 1 : 0;
  EXPECT_LE(let_in_again, kKeys * 3 / 1000);
}

TEST(RateTable, MakesRoomByWhoIsFullAgainAtNoLoss) {
  RateTable table(1'000);
  const Gcra limit = gcra(1, Duration(1'000), 1);
  for (std::uint64_t i = 0; i < 100'000; ++i) {
    EXPECT_TRUE(table.decide(limit, key(i), kNow + seconds(i / 500)).allowed);
    EXPECT_FALSE(table.decide(limit, key(i), kNow + seconds(i / 500)).allowed);
  }
  EXPECT_EQ(table.evictions(), 0U);
}

TEST(RateTable, LosesFirstWhoIsFullAgainFirst) {
  RateTable table(1);  // a single bucket of 15
  const Gcra slow = gcra(1, Duration(60'000), 2);
  for (std::uint64_t i = 0; i < 15; ++i) table.decide(slow, key(i), kNow + seconds(i == 7 ? 0 : 1 + i));
  const TimePoint then = kNow + seconds(20);
  table.decide(slow, key(15), then);
  EXPECT_EQ(table.evictions(), 1U);
  for (std::uint64_t i = 0; i < 16; ++i) EXPECT_EQ(table.peek(slow, key(i), then, 0).remaining, i == 7 ? 2U : 1U) << i;
}

TEST(RateTable, MakesNoRoomForWhatTakesNothing) {
  RateTable table(1);
  const Gcra limit = gcra(1, Duration(60'000), 2);
  for (std::uint64_t i = 0; i < 15; ++i) table.decide(limit, key(i), kNow);
  EXPECT_TRUE(table.decide(limit, key(100), kNow, 0).allowed);
  EXPECT_FALSE(table.decide(limit, key(101), kNow, 3).allowed);
  EXPECT_TRUE(table.peek(limit, key(102), kNow).allowed);
  EXPECT_EQ(table.evictions(), 0U);
  EXPECT_EQ(table.count(kNow), 15U);
}

TEST(RateTable, AFloodOfOtherKeysLetsNobodyInWhoIsHeldOff) {
  RateTable table(1'000);
  const Gcra limit = gcra(1, Duration(60'000), 1);
  const Gcra longer = gcra(1, Duration(3'600'000), 1);
  EXPECT_TRUE(table.decide(limit, key(1), kNow).allowed);
  EXPECT_FALSE(table.decide(limit, key(1), kNow).allowed);
  std::size_t let_in = 0;
  for (std::uint64_t i = 0; i < 200'000; ++i) {
    const TimePoint at = kNow + nanoseconds(i * 1'000);
    table.decide(i % 2 == 0 ? limit : longer, key(1'000 + i), at);
    if (i % 1'000 == 0) let_in += table.decide(limit, key(1), at).allowed ? 1 : 0;
  }
  EXPECT_EQ(let_in, 0U);
  EXPECT_GT(table.evictions(), 190'000U);
  EXPECT_TRUE(table.decide(limit, key(1), kNow + seconds(60)).allowed);
}

TEST(RateTable, IsExactForOneKeyOfEightThreads) {
  constexpr std::uint32_t kBurst = 1'234'567;
  RateTable table(1'000);
  const Gcra limit = gcra(1, Duration(1'000), kBurst);
  std::atomic<std::uint32_t> allowed{0};
  in_threads(8, [&](int) {
    std::uint32_t mine = 0;
    for (int i = 0; i < 400'000; ++i) mine += table.decide(limit, key(1), kNow).allowed ? 1U : 0U;
    allowed += mine;
  });
  EXPECT_EQ(allowed, kBurst);
  EXPECT_EQ(table.peek(limit, key(1), kNow, 0).remaining, 0U);
}

TEST(RateTable, IsExactForOneKeyAsTimeGoesOn) {
  RateTable table(1'000);
  const Gcra limit = gcra(100'000, Duration(1'000), 20);  // 10 us
  std::atomic<std::int64_t> clock{0};
  std::atomic<std::uint32_t> allowed{0};
  constexpr int kEach = 20'000;
  in_threads(8, [&](int) {
    for (int i = 0; i < kEach; ++i) {
      const TimePoint now = kNow + nanoseconds(clock.fetch_add(1'000));
      allowed += table.decide(limit, key(1), now).allowed ? 1U : 0U;
    }
  });
  const std::uint32_t most = 20 + 8 * kEach / 10;
  EXPECT_LE(allowed, most);
  EXPECT_GE(allowed, most - most / 100);
}

TEST(RateTable, IsExactForManyKeysOfEightThreads) {
  constexpr std::uint64_t kKeys = 5'000;
  RateTable table(2 * kKeys);
  const Gcra limit = gcra(1, Duration(60'000), 10);
  std::atomic<std::uint64_t> allowed{0};
  in_threads(8, [&](int thread) {
    std::uint64_t mine = 0;
    for (std::uint64_t i = 0; i < 4 * kKeys; ++i) {
      const std::uint64_t at = (i * 7 + static_cast<std::uint64_t>(thread) * 611) % kKeys;
      mine += table.decide(limit, key(at), kNow).allowed ? 1 : 0;
    }
    allowed += mine;
  });
  EXPECT_GE(allowed, kKeys * 10);
  EXPECT_LE(allowed, kKeys * 10 * 101 / 100);
}

TEST(RateTable, IsExactWhereThreadsMakeRoomInOneBucket) {
  RateTable table(1);
  const Gcra limit = gcra(1, Duration(60'000), 1);
  std::atomic<std::uint64_t> allowed{0};
  in_threads(8, [&](int thread) {
    auto at = static_cast<std::uint64_t>(thread);
    for (int i = 0; i < 20'000; ++i) {
      at = (at * 1'103 + 12'345) % 65'537;
      allowed += table.decide(limit, key(at % 40), kNow).allowed ? 1U : 0U;
    }
  });
  // Who is let in has a place, until it is lost.
  EXPECT_EQ(table.count(kNow) + table.evictions(), allowed);
  EXPECT_GT(allowed, 40U);
}

}  // namespace
}  // namespace rproxy::limit
