#include "net/alarms.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "net/loop.h"

namespace rproxy::net {
namespace {

using std::chrono::milliseconds;

constexpr TimePoint kStart{std::chrono::hours{1}};

struct Noted {
  explicit Noted(std::vector<int>& log, int number)
      : alarm([](void* self) { static_cast<Noted*>(self)->go(); }, this), log_(log), number_(number) {}
  void go() { log_.push_back(number_); }
  Alarm alarm;
  std::vector<int>& log_;
  int number_;
};

TEST(Alarms, GoOffInTheirOrderAndOnce) {
  Alarms alarms;
  std::vector<int> log;
  Noted first(log, 1);
  Noted second(log, 2);
  Noted third(log, 3);
  third.alarm.arm(alarms, kStart + milliseconds{3});
  first.alarm.arm(alarms, kStart + milliseconds{1});
  second.alarm.arm(alarms, kStart + milliseconds{2});
  EXPECT_EQ(alarms.next(), kStart + milliseconds{1});
  alarms.fire(kStart);
  EXPECT_TRUE(log.empty());
  alarms.fire(kStart + milliseconds{2});
  EXPECT_EQ(log, (std::vector{1, 2}));
  alarms.fire(kStart + milliseconds{10});
  EXPECT_EQ(log, (std::vector{1, 2, 3}));
  EXPECT_FALSE(alarms.next().has_value());
}

TEST(Alarms, DisarmedRearmedAndDestroyedOnesAreForgotten) {
  Alarms alarms;
  std::vector<int> log;
  Noted moved(log, 1);
  Noted disarmed(log, 2);
  auto destroyed = std::make_unique<Noted>(log, 3);
  moved.alarm.arm(alarms, kStart);
  moved.alarm.arm(alarms, kStart + milliseconds{5});
  disarmed.alarm.arm(alarms, kStart);
  disarmed.alarm.disarm();
  destroyed->alarm.arm(alarms, kStart);
  destroyed.reset();
  alarms.fire(kStart + milliseconds{4});
  EXPECT_TRUE(log.empty());
  alarms.fire(kStart + milliseconds{5});
  EXPECT_EQ(log, std::vector{1});
}

TEST(Alarms, WakeTheirLoopBeforeItsTick) {
  Loop loop(4096);
  struct Stopper {
    explicit Stopper(Loop& stopped)
        : loop(stopped), alarm([](void* self) { static_cast<Stopper*>(self)->loop.stop(); }, this) {}
    Loop& loop;
    Alarm alarm;
  } stopper(loop);
  // One of several tries is in time, whatever else the machine does.
  auto least = std::chrono::nanoseconds::max();
  for (int i = 0; i < 20; ++i) {
    const TimePoint begun = Clock::now();
    stopper.alarm.arm(loop.alarms(), begun + milliseconds{3});
    loop.run();
    const auto gone = Clock::now() - begun;
    EXPECT_GE(gone, milliseconds{3});
    least = std::min<std::chrono::nanoseconds>(least, gone);
  }
  EXPECT_LT(least, milliseconds{20});
}

}  // namespace
}  // namespace rproxy::net
