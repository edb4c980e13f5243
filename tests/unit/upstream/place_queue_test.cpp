// Who goes on when room comes, whoever made it.
#include "upstream/place_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "support/test_loop.h"

namespace rproxy::upstream {
namespace {

constexpr Duration kLong{60'000};

struct Fixture {
  explicit Fixture(std::uint32_t size = 100) : queue(QueueOptions{size, kLong}) {}

  // Waits for one of `free` that it may take, as a request does; `name` is told when it has one, or what else came of it.
  net::Task<void> wait(std::string name, QueuePriority priority, Duration timeout = kLong) {
    PlaceQueue::Turn turn(queue, loop, priority, timeout);
    if (!turn.is_queued()) {
      told += name + " full;";
      co_return;
    }
    while (co_await turn.comes()) {
      if (take(name)) {
        turn.use();
        told += name + ";";
        co_return;
      }
      turn.decline();
    }
    told += name + " late;";
  }
  void enter(const std::string& name, QueuePriority priority = QueuePriority::kNormal, Duration timeout = kLong) {
    loop.spawn(wait(name, priority, timeout));
  }
  bool take(const std::string& name) {
    ++tries;
    const auto found = std::ranges::find_if(free, [&](const std::string& place) { return place != name; });
    if (found == free.end()) return false;
    free.erase(found);
    return true;
  }
  // A place that all may take, but the one of that name.
  void make_room(const std::string& but_for = "") {
    free.push_back(but_for);
    queue.room();
  }

  test::TestLoop loop;
  PlaceQueue queue;
  std::vector<std::string> free;
  std::string told;
  int tries = 0;
};

TEST(PlaceQueue, LetsThemGoOnInTheOrderTheyCame) {
  Fixture f;
  for (const char* name : {"a", "b", "c"}) f.enter(name);
  for (int i = 0; i < 3; ++i) f.make_room();
  f.loop.run();
  EXPECT_EQ(f.told, "a;b;c;");
  EXPECT_EQ(f.queue.waiting(), 0U);
  EXPECT_FALSE(f.queue.is_promised());
}

TEST(PlaceQueue, PutsTheMoreImportantFirst) {
  Fixture f;
  f.enter("low", QueuePriority::kLow);
  f.enter("normal", QueuePriority::kNormal);
  f.enter("high", QueuePriority::kHigh);
  f.enter("high too", QueuePriority::kHigh);
  for (int i = 0; i < 4; ++i) f.make_room();
  f.loop.run();
  EXPECT_EQ(f.told, "high;high too;normal;low;");
}

TEST(PlaceQueue, LetsWhoComesTryAtOnceWhereNobodyElsesTurnHasCome) {
  Fixture f;
  f.free.emplace_back();
  f.enter("a");
  EXPECT_EQ(f.told, "a;");
}

TEST(PlaceQueue, PutsWhoComesBehindWhomRoomIsPromisedTo) {
  Fixture f;
  f.enter("a");
  f.make_room();
  EXPECT_TRUE(f.queue.is_promised());
  f.enter("b");
  EXPECT_EQ(f.told, "");
  f.make_room();
  f.loop.run();
  EXPECT_EQ(f.told, "a;b;");
}

TEST(PlaceQueue, PassesOnWhatOneCantUse) {
  Fixture f;
  for (const char* name : {"a", "b"}) f.enter(name);
  f.make_room("a");
  f.make_room();
  f.loop.run();
  EXPECT_TRUE(f.told == "b;a;" || f.told == "a;b;") << f.told;
}

TEST(PlaceQueue, PassesOnToWhoCameMeanwhileThoughHeGoesFirst) {
  Fixture f;
  f.enter("a");
  f.make_room("a");
  f.enter("first", QueuePriority::kHigh);
  while (f.queue.is_promised()) f.loop.loop().poll();
  EXPECT_EQ(f.told, "first;");
  f.make_room();
  f.loop.run();
  EXPECT_EQ(f.told, "first;a;");
}

TEST(PlaceQueue, EndsWithTheLastWhereNobodyCanUseTheRoom) {
  Fixture f;
  for (int i = 0; i < 5; ++i) f.enter("a");
  const int before = f.tries;
  for (int i = 0; i < 3; ++i) f.make_room("a");
  while (f.queue.is_promised()) f.loop.loop().poll();
  EXPECT_LE(f.tries - before, 15);
  EXPECT_GE(f.tries - before, 5);
  EXPECT_EQ(f.queue.waiting(), 5U);
  f.enter("b");
  EXPECT_EQ(f.told, "b;");
  for (int i = 0; i < 5; ++i) f.make_room();
  f.loop.run();
}

TEST(PlaceQueue, LetsAsManyGoOnAsThereIsRoomForWhereThatMayBeMuch) {
  Fixture f;
  for (const char* name : {"a", "b", "c", "d"}) f.enter(name);
  f.free = {"", "", ""};
  f.queue.look_again();
  while (f.queue.is_promised()) f.loop.loop().poll();
  EXPECT_EQ(f.told, "a;b;c;");
  f.make_room();
  f.loop.run();
  EXPECT_EQ(f.told, "a;b;c;d;");
}

// Two leave at once, and one alone is in line; who comes then finds no promise of his own, but room.
TEST(PlaceQueue, LosesNoRoomThatCameWhileAllWereToTry) {
  Fixture f;
  f.enter("a");
  f.make_room();
  f.make_room();
  f.enter("b");
  f.loop.run();
  EXPECT_EQ(f.told, "a;b;");
}

TEST(PlaceQueue, PassesOnTheTurnOfWhoLeaves) {
  Fixture f;
  auto leaver = std::make_unique<PlaceQueue::Turn>(f.queue, f.loop, QueuePriority::kHigh, kLong);
  leaver->decline();
  f.enter("b");
  f.make_room();
  leaver.reset();
  f.loop.run();
  EXPECT_EQ(f.told, "b;");
}

TEST(PlaceQueue, TakesNoMoreThanItsSize) {
  Fixture f(2);
  for (const char* name : {"a", "b", "c"}) f.enter(name);
  EXPECT_EQ(f.told, "c full;");
  f.make_room();
  // Whose turn has come is in it until he has gone.
  f.enter("d");
  EXPECT_EQ(f.told, "c full;d full;");
  f.make_room();
  f.loop.run();
  EXPECT_EQ(f.told, "c full;d full;a;b;");
  EXPECT_EQ(f.queue.counts().refused.load(), 2U);
  EXPECT_EQ(f.queue.counts().queued.load(), 2U);
}

TEST(PlaceQueue, LetsNobodyWaitLongerThanHeWould) {
  Fixture f;
  f.enter("a", QueuePriority::kNormal, Duration{1});
  f.loop.run();
  EXPECT_EQ(f.told, "a late;");
  EXPECT_EQ(f.queue.waiting(), 0U);
}

// Threads that contend for two places, one of which each may have only once in a while: none waits for ever, and never too many are in.
TEST(PlaceQueue, LosesNoTurnBetweenThreads) {
  constexpr int kThreads = 4;
  constexpr int kRounds = 2'000;
  constexpr int kPlaces = 2;
  PlaceQueue queue(QueueOptions{1'000, kLong});
  std::atomic<int> inside{0};
  std::atomic<int> done{0};
  std::atomic<bool> is_over{false};
  const auto enter = [&] {
    int now = inside.load();
    do {
      if (now >= kPlaces) return false;
    } while (!inside.compare_exchange_weak(now, now + 1));
    return true;
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      test::TestLoop loop;
      const auto work = [](PlaceQueue& waiting, net::Loop& own, const auto& may_enter, std::atomic<int>& in,
                           std::atomic<int>& finished, std::atomic<bool>& over) -> net::Task<void> {
        for (int round = 0; round < kRounds; ++round) {
          if (waiting.is_promised() || !may_enter()) {
            PlaceQueue::Turn turn(waiting, own, QueuePriority::kNormal, kLong);
            while (co_await turn.comes()) {
              if (may_enter()) {
                turn.use();
                break;
              }
              turn.decline();
            }
          }
          if (in.load() > kPlaces) over = true;
          co_await net::NextTurn(own);
          in.fetch_sub(1);
          waiting.room();
          ++finished;
        }
      };
      for (int task = 0; task < 3; ++task) loop.spawn(work(queue, loop, enter, inside, done, is_over));
      loop.run();
    });
  }
  threads.clear();
  EXPECT_EQ(done.load(), kThreads * 3 * kRounds);
  EXPECT_FALSE(is_over);
  EXPECT_EQ(queue.waiting(), 0U);
  EXPECT_FALSE(queue.is_promised());
}

}  // namespace
}  // namespace rproxy::upstream
