#include "upstream/retry_budget.h"

#include <gtest/gtest.h>

namespace rproxy::upstream {
namespace {

const TimePoint kStart = TimePoint{} + std::chrono::hours(1);

int taken(RetryBudget& budget, TimePoint now, int wanted) {
  int count = 0;
  for (int i = 0; i < wanted; ++i) count += budget.take(now) ? 1 : 0;
  return count;
}

TEST(RetryBudget, IsAShareOfRequestsWithAFloor) {
  const RetryOptions options{3, 20, 3};
  RetryBudget budget(options);
  EXPECT_EQ(taken(budget, kStart, 100), 3);
  for (int i = 0; i < 100; ++i) budget.count_request(kStart);
  EXPECT_EQ(taken(budget, kStart, 100), 17);  // 20 of 100 in all
}

TEST(RetryBudget, ForgetsAfterTenSeconds) {
  const RetryOptions options{3, 0, 2};
  RetryBudget budget(options);
  EXPECT_EQ(taken(budget, kStart, 9), 2);
  EXPECT_EQ(taken(budget, kStart + std::chrono::seconds(9), 9), 0);
  EXPECT_EQ(taken(budget, kStart + std::chrono::seconds(10), 9), 2);
}

TEST(RetryBudget, GivesWhatItsShareSays) {
  struct Case {
    std::uint32_t percent;
    std::uint32_t least;
    int requests;
    int retries;
  };
  const Case cases[] = {
      {20, 10, 0, 10}, {20, 10, 49, 10}, {20, 10, 50, 10}, {20, 10, 55, 11}, {20, 0, 0, 0},
      {20, 0, 4, 0},   {20, 0, 5, 1},    {0, 0, 1000, 0},  {0, 5, 1000, 5},  {100, 0, 1000, 1000},
      {1, 0, 100, 1},  {1, 0, 199, 1},   {200, 0, 10, 20},
  };
  for (const Case& each : cases) {
    const RetryOptions options{3, each.percent, each.least};
    RetryBudget budget(options);
    for (int i = 0; i < each.requests; ++i) budget.count_request(kStart);
    EXPECT_EQ(taken(budget, kStart, 3000), each.retries) << each.percent << "% " << each.least << " " << each.requests;
  }
}

TEST(RetryBudget, LooksAtTheLastTenSecondsEachByItself) {
  const RetryOptions options{3, 10, 0};
  RetryBudget budget(options);
  // A hundred requests in each second, and never more than a tenth of the last ten seconds'.
  int all = 0;
  for (int second = 0; second < 100; ++second) {
    const TimePoint now = kStart + std::chrono::seconds(second);
    for (int i = 0; i < 100; ++i) budget.count_request(now);
    all += taken(budget, now, 100);
  }
  EXPECT_EQ(all, 1000);
  // Silence for long, then one request: the old ones count no more.
  const TimePoint later = kStart + std::chrono::seconds(150);
  for (int i = 0; i < 10; ++i) budget.count_request(later);
  EXPECT_EQ(taken(budget, later, 100), 1);
}

TEST(RetryBudget, WorksFromTheClocksFirstSecondOn) {
  const RetryOptions options{3, 0, 2};
  RetryBudget budget(options);
  for (int second = 0; second < 10; ++second)
    EXPECT_EQ(taken(budget, TimePoint{} + std::chrono::seconds(second), 5), second == 0 ? 2 : 0) << second;
  EXPECT_EQ(taken(budget, TimePoint{} + std::chrono::seconds(10), 5), 2);
}

}  // namespace
}  // namespace rproxy::upstream
