// Who wishes for a reload, and who gets an answer.
#include "server/reload_requests.h"

#include <gtest/gtest.h>

namespace rproxy::server {
namespace {

struct Answers {
  std::vector<std::string> list;
  ReloadRequests::Done taker() {
    return [this](const ReloadOutcome& outcome) { list.push_back((outcome.ok ? "+" : "-") + outcome.text); };
  }
};

TEST(ReloadRequests, AreAnsweredTogether) {
  int woken = 0;
  Answers answers;
  ReloadRequests requests([&] { ++woken; });
  EXPECT_FALSE(requests.take().has_value());
  requests.request_reload("SIGHUP");
  requests.request_reload("admin", answers.taker());
  requests.request_reload("admin", answers.taker());
  EXPECT_EQ(woken, 3);
  const auto batch = requests.take();
  ASSERT_TRUE(batch.has_value());
  EXPECT_EQ(batch->why, "SIGHUP");
  for (const auto& done : batch->waiting) done({true, "routes"});
  EXPECT_EQ(answers.list, (std::vector<std::string>{"+routes", "+routes"}));
  EXPECT_FALSE(requests.take().has_value());
}

TEST(ReloadRequests, ComeAgainWhereOneIsUnderWay) {
  ReloadRequests requests([] {});
  requests.request_reload("first");
  ASSERT_TRUE(requests.take().has_value());
  requests.request_reload("second");
  requests.request_reload("third");
  ASSERT_TRUE(requests.take().has_value());
  EXPECT_FALSE(requests.take().has_value());
}

TEST(ReloadRequests, AreRefusedWhenTheServerEnds) {
  Answers answers;
  ReloadRequests requests([] {});
  requests.request_reload("admin", answers.taker());
  requests.refuse("ending");
  requests.request_reload("admin", answers.taker());
  requests.request_reload("SIGHUP");
  EXPECT_EQ(answers.list, (std::vector<std::string>{"-ending", "-ending"}));
  EXPECT_FALSE(requests.take().has_value());
}

}  // namespace
}  // namespace rproxy::server
