// One thread's events, its clock and its deadlines together.
#include "net/loop.h"

#include <gtest/gtest.h>

#include <thread>

namespace rproxy::net {
namespace {

TEST(Loop, GivesADeadlineAllItsTimeAfterAStall) {
  Loop loop(4096);
  struct State {
    Loop& loop;
    TimePoint armed{};
    TimePoint fired{};
  } state{loop};
  Deadline deadline(
      [](void* self) {
        static_cast<State*>(self)->fired = Clock::now();
        static_cast<State*>(self)->loop.stop();
      },
      &state);
  loop.poll();
  // The stall itself: nothing turned the wheel meanwhile.
  std::this_thread::sleep_for(std::chrono::milliseconds(250));
  loop.post([&] {
    state.armed = Clock::now();
    deadline.arm(loop.wheel(), Duration{100});
  });
  loop.run();
  EXPECT_GE(state.fired - state.armed, std::chrono::milliseconds(100));
}

TEST(Loop, RunsWhatOtherThreadsPost) {
  Loop loop(4096);
  int calls = 0;
  std::thread other([&] {
    for (int i = 0; i < 100; ++i) {
      loop.post([&] {
        if (++calls == 100) loop.stop();
      });
    }
  });
  loop.run();
  other.join();
  EXPECT_EQ(calls, 100);
}

TEST(Loop, CallsAWatcherAgainOnlyOnceAndNotAfterItIsForgotten) {
  struct Watcher final : Poller::Watcher {
    explicit Watcher(Poller& its_poller) : poller(its_poller) {}
    void on_ready(std::uint32_t events) override {
      EXPECT_EQ(events, 0U);
      if (++calls < 3) poller.again(*this);
    }
    Poller& poller;
    int calls = 0;
  };
  Loop loop(4096);
  Watcher watcher(loop.poller());
  Watcher forgotten(loop.poller());
  loop.poller().again(watcher);
  loop.poller().again(forgotten);
  loop.poller().forget(forgotten);
  for (int round = 1; round <= 5; ++round) {
    loop.poll();
    EXPECT_EQ(watcher.calls, std::min(round, 3));
  }
  EXPECT_EQ(forgotten.calls, 0);
}

}  // namespace
}  // namespace rproxy::net
