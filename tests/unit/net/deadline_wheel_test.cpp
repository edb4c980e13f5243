// Time is the tick that advance() is told: nothing here waits.
#include "net/deadline_wheel.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

namespace rproxy::net {
namespace {

constexpr Duration kTick = DeadlineWheel::kTick;
constexpr std::uint64_t kTurn = 512;  // ticks until the wheel has gone round

// A deadline that notes when it fired, and may do more.
struct Entry {
  explicit Entry(DeadlineWheel& its_wheel) : wheel(its_wheel) {}
  void fire() {
    fired.push_back(wheel.current_tick());
    // A copy: it may destroy this entry.
    if (const auto call = then) call();
  }
  DeadlineWheel& wheel;
  std::vector<std::uint64_t> fired{};
  std::function<void()> then{};
  Deadline deadline{[](void* self) { static_cast<Entry*>(self)->fire(); }, this};
};

// Ticks one by one, as a worker does.
void advance_to(DeadlineWheel& wheel, std::uint64_t tick) {
  while (wheel.current_tick() < tick) wheel.advance(wheel.current_tick() + 1);
}

TEST(DeadlineWheel, FiresLateButNeverEarly) {
  struct Case {
    Duration timeout;
    std::uint64_t tick;
  };
  const Case cases[] = {
      {Duration{1}, 2},
      {kTick - Duration{1}, 2},
      {kTick, 2},
      {kTick + Duration{1}, 3},
      {10 * kTick, 11},
      {(kTurn - 3) * kTick, kTurn - 2},
      {(kTurn - 2) * kTick, kTurn - 1},
      {(kTurn - 1) * kTick, kTurn},
      {kTurn * kTick, kTurn + 1},
      {(kTurn + 1) * kTick, kTurn + 2},
      {2 * kTurn * kTick, 2 * kTurn + 1},
      {std::chrono::hours(1), 72'001},
  };
  for (const std::uint64_t start : {std::uint64_t{0}, std::uint64_t{1}, kTurn - 1, kTurn, 3 * kTurn + 7}) {
    for (const Case& each : cases) {
      DeadlineWheel wheel;
      advance_to(wheel, start);
      Entry entry(wheel);
      entry.deadline.arm(wheel, each.timeout);
      EXPECT_TRUE(entry.deadline.is_armed());
      advance_to(wheel, start + each.tick - 1);
      EXPECT_THAT(entry.fired, testing::IsEmpty()) << each.timeout.count();
      advance_to(wheel, start + each.tick + 2 * kTurn);
      EXPECT_THAT(entry.fired, testing::ElementsAre(start + each.tick)) << each.timeout.count();
      EXPECT_FALSE(entry.deadline.is_armed());
    }
  }
}

TEST(DeadlineWheel, TakesTheLongestTimeThereIs) {
  DeadlineWheel wheel;
  Entry entry(wheel);
  entry.deadline.arm(wheel, Duration::max());
  EXPECT_TRUE(entry.deadline.is_armed());
  advance_to(wheel, 3 * kTurn);
  EXPECT_TRUE(entry.deadline.is_armed());
  EXPECT_THAT(entry.fired, testing::IsEmpty());
}

TEST(DeadlineWheel, KnowsZeroAsNoLimit) {
  for (const Duration none : {Duration{0}, Duration{-1}, Duration::min()}) {
    DeadlineWheel wheel;
    Entry entry(wheel);
    entry.deadline.arm(wheel, kTick);
    entry.deadline.arm(wheel, none);
    EXPECT_FALSE(entry.deadline.is_armed());
    advance_to(wheel, 2 * kTurn);
    EXPECT_THAT(entry.fired, testing::IsEmpty());
  }
}

TEST(DeadlineWheel, ForgetsTheDisarmedAndTheDestroyed) {
  DeadlineWheel wheel;
  Entry disarmed(wheel);
  disarmed.deadline.arm(wheel, 3 * kTick);
  auto destroyed = std::make_unique<Entry>(wheel);
  destroyed->deadline.arm(wheel, 3 * kTick);
  Entry kept(wheel);
  kept.deadline.arm(wheel, 3 * kTick);
  disarmed.deadline.disarm();
  destroyed.reset();
  advance_to(wheel, kTurn);
  EXPECT_THAT(disarmed.fired, testing::IsEmpty());
  EXPECT_THAT(kept.fired, testing::ElementsAre(4U));
}

TEST(DeadlineWheel, GoesByTheLastArming) {
  struct Case {
    std::vector<int> timeouts;  // in ticks, one armed at each tick; 0: disarmed
    std::uint64_t tick;
  };
  const Case cases[] = {
      {{5, 10}, 12},          // later
      {{10, 5}, 7},           // earlier
      {{5, 0, 5}, 8},         // disarmed between
      {{5, 0, 1}, 4},         // and earlier than before
      {{600, 2}, 4},          // from another turn
      {{2, 600}, 602},        // to another turn
      {{600, 1100, 3}, 6},    // and back
      {{2, 2, 2, 2, 2}, 7},   // pushed on each time, as a connection in use does
      {{512, 511, 510}, 513}  // around a whole turn
  };
  for (const Case& each : cases) {
    DeadlineWheel wheel;
    Entry entry(wheel);
    for (const int ticks : each.timeouts) {
      if (ticks == 0) {
        entry.deadline.disarm();
      } else {
        entry.deadline.arm(wheel, ticks * kTick);
      }
      if (&ticks != &each.timeouts.back()) wheel.advance(wheel.current_tick() + 1);
    }
    advance_to(wheel, 3 * kTurn);
    EXPECT_THAT(entry.fired, testing::ElementsAre(each.tick)) << each.timeouts.front();
  }
}

TEST(DeadlineWheel, LetsACallbackArmItselfAgain) {
  DeadlineWheel wheel;
  Entry entry(wheel);
  entry.then = [&] { entry.deadline.arm(wheel, 3 * kTick); };
  entry.deadline.arm(wheel, 3 * kTick);
  advance_to(wheel, 13);
  EXPECT_THAT(entry.fired, testing::ElementsAre(4U, 8U, 12U));
}

TEST(DeadlineWheel, LetsACallbackArmDisarmAndDestroyOthersThatAreDue) {
  // Whichever of them fires first, the others are still waiting in the same slot.
  for (const char* what : {"arm", "disarm", "destroy", "destroy all"}) {
    DeadlineWheel wheel;
    std::vector<std::unique_ptr<Entry>> entries;
    int fired = 0;
    for (int i = 0; i < 3; ++i) {
      entries.push_back(std::make_unique<Entry>(wheel));
      entries.back()->then = [&, i, what = std::string_view(what)] {
        if (++fired > 1) return;
        for (int k = 0; k < 3; ++k) {
          if (what == "destroy all" || (what == "destroy" && k != i)) entries[k].reset();
          if (what == "arm" && k != i) entries[k]->deadline.arm(wheel, kTurn * kTick);
          if (what == "disarm" && k != i) entries[k]->deadline.disarm();
        }
      };
      entries.back()->deadline.arm(wheel, 4 * kTick);
    }
    advance_to(wheel, kTurn);
    EXPECT_EQ(fired, 1) << what;
    advance_to(wheel, 2 * kTurn);
    EXPECT_EQ(fired, what == std::string_view("arm") ? 3 : 1) << what;
  }
}

TEST(DeadlineWheel, CatchesUpInOrder) {
  DeadlineWheel wheel;
  std::deque<Entry> entries;
  std::vector<int> order;
  for (const int ticks : {700, 3, 1, 200, 2}) {
    Entry& entry = entries.emplace_back(wheel);
    entry.then = [&order, ticks] { order.push_back(ticks); };
    entry.deadline.arm(wheel, ticks * kTick);
  }
  wheel.advance(1000);
  EXPECT_THAT(order, testing::ElementsAre(1, 2, 3, 200, 700));
  EXPECT_EQ(wheel.current_tick(), 1000U);
  wheel.advance(999);  // time never goes back
  EXPECT_EQ(wheel.current_tick(), 1000U);
}

// The machine slept: what begins only now still has all its time.
TEST(DeadlineWheel, CountsFromNowWhatIsArmedWhileCatchingUp) {
  DeadlineWheel wheel;
  Entry first(wheel);
  Entry second(wheel);
  first.then = [&] { second.deadline.arm(wheel, 5 * kTick); };
  first.deadline.arm(wheel, kTick);
  wheel.advance(1000);
  EXPECT_EQ(first.fired.size(), 1U);
  EXPECT_THAT(second.fired, testing::IsEmpty());
  advance_to(wheel, 1005);
  EXPECT_THAT(second.fired, testing::IsEmpty());
  advance_to(wheel, 1006);
  EXPECT_THAT(second.fired, testing::ElementsAre(1006U));
}

// Against a model that keeps a plain list.
TEST(DeadlineWheel, DoesAsAListOfTimesWould) {
  std::minstd_rand random(20261125);
  DeadlineWheel wheel;
  std::deque<Entry> entries;
  for (int i = 0; i < 50; ++i) entries.emplace_back(wheel);
  std::vector<std::uint64_t> due(entries.size(), 0);  // 0: not armed
  for (int step = 0; step < 50'000; ++step) {
    const std::size_t i = random() % entries.size();
    const std::uint64_t now = wheel.current_tick();
    switch (random() % 4) {
      case 0:
        entries[i].deadline.disarm();
        due[i] = 0;
        break;
      case 1: {
        const std::uint64_t ticks = 1 + random() % (random() % 2 == 0 ? 8 : 1500);
        entries[i].deadline.arm(wheel, static_cast<int>(ticks) * kTick);
        due[i] = now + ticks + 1;
        break;
      }
      default:
        wheel.advance(now + 1);
        for (std::size_t k = 0; k < entries.size(); ++k) {
          const bool is_due = due[k] == now + 1;
          ASSERT_EQ(entries[k].fired.size(), is_due ? 1U : 0U) << "step " << step;
          entries[k].fired.clear();
          if (is_due) due[k] = 0;
          ASSERT_EQ(entries[k].deadline.is_armed(), due[k] != 0) << "step " << step;
        }
    }
  }
}

}  // namespace
}  // namespace rproxy::net
