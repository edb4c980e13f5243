// Who asks for a round's end, and in which order.
#include "net/poller.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "net/loop.h"

namespace rproxy::net {
namespace {

using testing::ElementsAre;

struct Caller final : Poller::Watcher {
  Caller(std::vector<std::string>& notes, std::string own) : all(notes), name(std::move(own)) {}
  void on_ready(std::uint32_t) override {
    all.push_back(name);
    if (action) action();
  }
  std::vector<std::string>& all;
  std::string name;
  std::function<void()> action;
};

struct PollerEnd : testing::Test {
  Loop loop{4096};
  std::vector<std::string> calls;
  Caller first{calls, "first"};
  Caller second{calls, "second"};
  Caller third{calls, "third"};
  Poller& poller = loop.poller();
};

TEST_F(PollerEnd, ComesBehindAllElseOfTheRoundInTheOrderAskedFor) {
  poller.at_end(first);
  poller.at_end(second);
  poller.again(third);
  loop.poll();
  EXPECT_THAT(calls, ElementsAre("third", "first", "second"));
  loop.poll();
  EXPECT_EQ(calls.size(), 3U);
}

TEST_F(PollerEnd, TakesInWhatAnotherOfThemAsksFor) {
  first.action = [&] { poller.at_end(second); };
  poller.at_end(first);
  loop.poll();
  EXPECT_THAT(calls, ElementsAre("first", "second"));
}

// One that asks for ever lets others have their round, and is not forgotten.
TEST_F(PollerEnd, DoesNotLastForEver) {
  first.action = [&] { poller.at_end(first); };
  poller.at_end(first);
  poller.call_at_end();
  const std::size_t turns = calls.size();
  EXPECT_GE(turns, 1U);
  EXPECT_LE(turns, 10U);
  // With somebody left, the next round does not wait.
  const auto before = Clock::now();
  poller.wait(Duration{10'000});
  EXPECT_LT(Clock::now() - before, std::chrono::seconds(5));
  poller.call_at_end();
  EXPECT_EQ(calls.size(), 2 * turns);
  poller.forget(first);
  poller.call_at_end();
  EXPECT_EQ(calls.size(), 2 * turns);
}

TEST_F(PollerEnd, ForgetsWhoIsGone) {
  first.action = [&] { poller.forget(second); };
  poller.at_end(first);
  poller.at_end(second);
  poller.at_end(third);
  loop.poll();
  EXPECT_THAT(calls, ElementsAre("first", "third"));
  poller.at_end(third);
  poller.forget(third);
  loop.poll();
  EXPECT_EQ(calls.size(), 2U);
}

}  // namespace
}  // namespace rproxy::net
