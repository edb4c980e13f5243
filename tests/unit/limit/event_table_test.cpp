#include "limit/event_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace rproxy::limit {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const TimePoint kNow = TimePoint{} + std::chrono::hours(1);
const KeyHasher kHasher(7);
Key key(std::uint64_t number) { return kHasher.of(0, std::to_string(number)); }

TEST(EventTable, TellsOnceThatTheyAreSoMany) {
  EventTable table(100);
  const EventLimit limit{5, Duration(60'000)};
  for (int round = 0; round < 3; ++round) {
    for (int i = 1; i <= 5; ++i) EXPECT_EQ(table.record(key(1), limit, kNow + seconds(i)), i == 5);
    EXPECT_EQ(table.count(key(1), limit, kNow + seconds(5)), 0U);
  }
  EXPECT_FALSE(table.record(key(2), limit, kNow, 4));
  EXPECT_EQ(table.count(key(2), limit, kNow), 4U);
  table.forget(key(2));
  EXPECT_EQ(table.count(key(2), limit, kNow), 0U);
  EXPECT_TRUE(table.record(key(3), limit, kNow, 65'535));
  EXPECT_TRUE(table.record(key(4), {0, Duration(0)}, kNow));
}

TEST(EventTable, CountsNothingOlderThanItsWindowAndAllOfSevenEighths) {
  std::mt19937_64 random(3);
  for (const Duration within : {Duration(8), Duration(1'000), Duration(60'000), Duration(86'400'000)}) {
    EventTable table(100);
    const EventLimit limit{65'535, within};
    std::vector<TimePoint> events;
    TimePoint now = kNow;
    for (int i = 0; i < 2'000; ++i) {
      now +=
          std::chrono::nanoseconds(random() % static_cast<std::uint64_t>(std::chrono::nanoseconds(within).count() / 4));
      if (random() % 50 == 0) now += within;
      table.record(key(1), limit, now);
      events.push_back(now);
      const auto since = [&](auto age) {
        return static_cast<std::uint32_t>(
            std::count_if(events.begin(), events.end(), [&](TimePoint each) { return now - each < age; }));
      };
      const std::uint32_t counted = table.count(key(1), limit, now);
      ASSERT_LE(counted, since(within));
      ASSERT_GE(counted, since(within / 8 * 7));
    }
    EXPECT_EQ(table.count(key(1), limit, now + within), 0U);
  }
}

TEST(EventTable, TakesAnEventOfAThreadWhoseClockIsBehind) {
  EventTable table(100);
  const EventLimit limit{4, Duration(8'000)};
  EXPECT_FALSE(table.record(key(1), limit, kNow));
  EXPECT_FALSE(table.record(key(1), limit, kNow - milliseconds(20)));
  EXPECT_EQ(table.count(key(1), limit, kNow), 2U);
}

TEST(EventTable, BeginsAnewWhereTheWindowIsAnother) {
  EventTable table(100);
  EXPECT_FALSE(table.record(key(1), {3, Duration(86'400'000)}, kNow, 2));
  EXPECT_FALSE(table.record(key(1), {3, Duration(1'000)}, kNow, 2));
  EXPECT_TRUE(table.record(key(1), {3, Duration(1'000)}, kNow));
}

TEST(EventTable, IsExactWhicheverThreadsTell) {
  EventTable table(100);
  const EventLimit limit{25, Duration(60'000)};
  std::atomic<int> trips{0};
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 5'000; ++k) trips += table.record(key(1), limit, kNow) ? 1 : 0;
    });
  }
  threads.clear();
  EXPECT_EQ(trips, 8 * 5'000 / 25);
}

TEST(EventTable, AFloodOfKeysWithASingleEventWashesAwayNobodyWithMore) {
  EventTable table(100);
  const EventLimit limit{3, Duration(60'000)};
  EXPECT_FALSE(table.record(key(1), limit, kNow, 2));
  for (std::uint64_t i = 0; i < 20'000; ++i) table.record(key(100 + i), limit, kNow);
  EXPECT_TRUE(table.record(key(1), limit, kNow));
  EXPECT_GT(table.evictions(), 19'000U);
  EXPECT_LE(table.bytes(), 100 * EventTable::kBytesPerKey + 448);
}

}  // namespace
}  // namespace rproxy::limit
