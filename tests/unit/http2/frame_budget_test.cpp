#include "http2/frame_budget.h"

#include <gtest/gtest.h>

namespace rproxy::http2 {
namespace {

constexpr AbuseLimits kLimits{10, 4, 3, 2};
constexpr TimePoint kStart = TimePoint{} + std::chrono::hours(1);

// How many more it lets go.
std::uint32_t frames_left(FrameBudget& budget) {
  std::uint32_t count = 0;
  while (budget.spend_frames(1)) ++count;
  return count;
}

std::uint32_t resets_left(FrameBudget& budget) {
  std::uint32_t count = 0;
  while (budget.spend_reset()) ++count;
  return count;
}

TEST(FrameBudget, BeginsWithItsBursts) {
  FrameBudget budget(kLimits);
  budget.refill(kStart);
  EXPECT_EQ(frames_left(budget), 10U);
  EXPECT_EQ(resets_left(budget), 3U);
}

TEST(FrameBudget, IsSpentByOneThatAsksForMoreThanIsLeft) {
  FrameBudget budget(kLimits);
  EXPECT_TRUE(budget.spend_frames(9));
  EXPECT_FALSE(budget.spend_frames(2));
  EXPECT_FALSE(budget.spend_frames(1));
}

TEST(FrameBudget, FillsWithWholeSecondsUpToItsBurst) {
  using std::chrono::milliseconds;
  FrameBudget budget(kLimits);
  budget.refill(kStart);
  frames_left(budget);
  resets_left(budget);
  budget.refill(kStart + milliseconds(999));
  EXPECT_EQ(frames_left(budget), 0U);
  budget.refill(kStart + milliseconds(1500));
  EXPECT_EQ(frames_left(budget), 4U);
  EXPECT_EQ(resets_left(budget), 2U);
  // The half second is not lost.
  budget.refill(kStart + milliseconds(2000));
  EXPECT_EQ(frames_left(budget), 4U);
  budget.refill(kStart + std::chrono::hours(1000));
  EXPECT_EQ(frames_left(budget), 10U);
  EXPECT_EQ(resets_left(budget), 3U);
}

TEST(FrameBudget, IsEarnedByContentHoweverItIsCut) {
  FrameBudget budget(kLimits);
  budget.refill(kStart);
  frames_left(budget);
  for (int i = 0; i < 3 * 1024; ++i) budget.earn_content(1);
  budget.earn_content(1023);
  EXPECT_EQ(frames_left(budget), 3U);
  budget.earn_content(1);
  EXPECT_EQ(frames_left(budget), 1U);
  budget.earn_content(std::uint64_t{1} << 40);
  EXPECT_EQ(frames_left(budget), 10U);
  EXPECT_EQ(resets_left(budget), 3U);
}

TEST(FrameBudget, IsEarnedByAnswers) {
  FrameBudget budget(kLimits);
  budget.refill(kStart);
  frames_left(budget);
  resets_left(budget);
  budget.earn_answer();
  EXPECT_EQ(frames_left(budget), 8U);
  EXPECT_EQ(resets_left(budget), 1U);
}

}  // namespace
}  // namespace rproxy::http2
