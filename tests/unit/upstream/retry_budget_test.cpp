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

}  // namespace
}  // namespace rproxy::upstream
