#include "limit/bans.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "limit/event_table.h"

namespace rproxy::limit {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

const TimePoint kNow = TimePoint{} + hours(1);
const KeyHasher kHasher(7);
Key key(int number) { return kHasher.of(0, std::to_string(number)); }

BanOptions minutes_up_to_ten() { return {Duration(minutes(1)), Duration(minutes(10)), Duration(hours(1))}; }

TEST(Bans, KeepOutUntilTheyEnd) {
  Bans bans(100);
  EXPECT_FALSE(bans.until(key(1), kNow));
  const Ban ban = bans.punish(key(1), "192.0.2.1", minutes_up_to_ten(), kNow, 17);
  EXPECT_EQ(ban.until, kNow + minutes(1));
  EXPECT_EQ(bans.until(key(1), kNow), ban.until);
  EXPECT_EQ(bans.until(key(1), ban.until - milliseconds(1)), ban.until);
  EXPECT_FALSE(bans.until(key(1), ban.until));
  EXPECT_FALSE(bans.until(key(2), kNow));
  const auto list = bans.list(kNow, 10);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].label, "192.0.2.1");
  EXPECT_EQ(list[0].rule, 17U);
  EXPECT_TRUE(list[0].key == key(1));
  EXPECT_TRUE(bans.list(ban.until, 10).empty());
}

TEST(Bans, AreTwiceAsLongEachTimeUpToTheLongest) {
  Bans bans(100);
  TimePoint now = kNow;
  std::uint32_t offences = 0;
  for (const int expected : {1, 2, 4, 8, 10, 10}) {
    const Ban ban = bans.punish(key(1), "a", minutes_up_to_ten(), now);
    EXPECT_EQ(ban.until - now, minutes(expected));
    EXPECT_EQ(ban.offences, ++offences);
    now = ban.until + minutes(59);
  }
  // Not forgotten to the last millisecond.
  now = bans.punish(key(1), "a", minutes_up_to_ten(), now).until + hours(1);
  EXPECT_EQ(bans.punish(key(1), "a", minutes_up_to_ten(), now).offences, 1U);
}

TEST(Bans, LastAsTheOptionsSayHoweverTheseAre) {
  struct Case {
    BanOptions options;
    std::uint32_t offences;
    Duration expected;
  };
  const Duration forever = Duration::max();
  const Case cases[] = {
      {{Duration(100), Duration(50), forever}, 3, Duration(100)},
      {{Duration(0), Duration(50), forever}, 3, Duration(0)},
      {{Duration(-5), Duration(50), forever}, 3, Duration(0)},
      {{Duration(100), Duration(399), forever}, 3, Duration(399)},
      {{Duration(1), Duration(hours(24 * 366 * 100)), forever}, 20, Duration(1 << 19)},
  };
  for (const auto& each : cases) {
    Bans bans(10);
    TimePoint now = kNow;
    Ban ban;
    for (std::uint32_t i = 0; i < each.offences; ++i) {
      now = std::max(now, ban.until);
      ban = bans.punish(key(1), "a", each.options, now);
    }
    EXPECT_EQ(ban.until - now, each.expected);
  }
  Bans bans(10);
  EXPECT_EQ(bans.punish(key(1), "a", {forever, forever, forever}, kNow).until, TimePoint::max());
}

TEST(Bans, AnOffenceOfWhoIsBannedChangesNothing) {
  Bans bans(100);
  const Ban first = bans.punish(key(1), "a", minutes_up_to_ten(), kNow);
  const Ban second = bans.punish(key(1), "b", minutes_up_to_ten(), kNow + seconds(30));
  EXPECT_EQ(second.until, first.until);
  EXPECT_EQ(second.offences, 1U);
  EXPECT_EQ(second.label, "a");
}

TEST(Bans, AreMadeAndLiftedByHand) {
  Bans bans(100);
  bans.punish(key(1), "a", minutes_up_to_ten(), kNow);
  bans.add(key(1), "a", TimePoint::max(), kNow);
  bans.add(key(2), "b", kNow + hours(1), kNow);
  EXPECT_EQ(bans.until(key(1), kNow + hours(100'000)), TimePoint::max());
  EXPECT_EQ(bans.count(kNow), 2U);
  EXPECT_EQ(bans.list(kNow, 1)[0].label, "a");
  EXPECT_EQ(bans.list(kNow, 1)[0].offences, 1U);
  // In place of what was, even if that is shorter.
  bans.add(key(1), "a", kNow + minutes(5), kNow);
  EXPECT_FALSE(bans.until(key(1), kNow + minutes(5)));
  EXPECT_TRUE(bans.lift(key(1)));
  EXPECT_FALSE(bans.lift(key(1)));
  EXPECT_FALSE(bans.until(key(1), kNow));
  EXPECT_TRUE(bans.until(key(2), kNow));
  EXPECT_EQ(bans.punish(key(1), "a", minutes_up_to_ten(), kNow).offences, 1U);
  EXPECT_EQ(bans.lift_all(), 2U);
  EXPECT_FALSE(bans.until(key(2), kNow));
  EXPECT_EQ(bans.count(kNow), 0U);
}

TEST(Bans, WhoseEndIsNextMakeRoom) {
  Bans bans(50);
  for (int i = 0; i < 50; ++i) bans.add(key(i), std::to_string(i), kNow + minutes(10 + (i + 20) % 50), kNow);
  bans.add(key(50), "50", kNow + minutes(1), kNow);
  EXPECT_EQ(bans.evictions(), 1U);
  EXPECT_FALSE(bans.until(key(30), kNow));
  EXPECT_EQ(bans.count(kNow), 50U);
  // What has ended goes first, and is no loss.
  bans.punish(key(51), "51", minutes_up_to_ten(), kNow + minutes(5));
  EXPECT_EQ(bans.evictions(), 1U);
  EXPECT_TRUE(bans.until(key(31), kNow + minutes(5)));
  bans.add(key(31), "31", kNow + hours(9), kNow + minutes(5));
  EXPECT_EQ(bans.evictions(), 1U);
}

TEST(Bans, FollowFromEventsThatAreTooMany) {
  Bans bans(100);
  EventTable events(100);
  const EventLimit limit{3, Duration(10'000)};
  TimePoint now = kNow;
  std::vector<std::chrono::nanoseconds> lengths;
  while (lengths.size() < 3) {
    now += seconds(1);
    if (bans.until(key(1), now) || !events.record(key(1), limit, now)) continue;
    lengths.push_back(bans.punish(key(1), "192.0.2.1", minutes_up_to_ten(), now).until - now);
  }
  EXPECT_EQ(lengths, (std::vector<std::chrono::nanoseconds>{minutes(1), minutes(2), minutes(4)}));
}

TEST(Bans, NoMoreAreKeptThanThereIsRoomFor) {
  Bans bans(10);
  for (int i = 0; i < 1'000; ++i) bans.punish(key(i), "a", minutes_up_to_ten(), kNow + seconds(i));
  EXPECT_EQ(bans.lift_all(), 10U);
}

TEST(Bans, LabelsAreCutBetweenCharacters) {
  Bans bans(10);
  bans.add(key(1), std::string(63, 'x') + "\xc3\xa4", kNow + hours(1), kNow);
  EXPECT_EQ(bans.list(kNow, 1)[0].label, std::string(63, 'x'));
}

TEST(Bans, HoldForAllThreads) {
  Bans bans(200);
  const BanOptions options{Duration(10), Duration(1'000), Duration(hours(1))};
  std::atomic<int> now_ms{0};
  std::atomic<bool> is_wrong{false};
  bans.add(key(-1), "kept", TimePoint::max(), kNow);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int k = 0; k < 3'000; ++k) {
        const TimePoint now = kNow + milliseconds(now_ms.fetch_add(1));
        const Key mine = key(i * 10'000 + k % 40);
        if (!bans.until(key(-1), now)) is_wrong = true;
        if (k % 4 == i % 4) {
          const Ban ban = bans.punish(mine, "x", options, now);
          if (ban.until <= now) is_wrong = true;
        }
        if (const auto until = bans.until(mine, now); until && *until <= now) is_wrong = true;
        if (k % 100 == 0) bans.lift(mine);
        if (k % 500 == 0) bans.list(now, 5);
      }
    });
  }
  threads.clear();
  EXPECT_FALSE(is_wrong);
  EXPECT_EQ(bans.until(key(-1), kNow), TimePoint::max());
}

}  // namespace
}  // namespace rproxy::limit
