#include "upstream/latency_quantile.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace rproxy::upstream {
namespace {

using std::chrono::microseconds;
using std::chrono::seconds;

constexpr TimePoint kStart{std::chrono::hours{1}};

TEST(LatencyQuantile, IsNotKnownFromAFew) {
  LatencyQuantile quantile(0.95);
  for (int i = 0; i < 99; ++i) quantile.add(microseconds{1000}, kStart);
  EXPECT_FALSE(quantile.get(kStart).has_value());
  quantile.add(microseconds{1000}, kStart);
  EXPECT_TRUE(quantile.get(kStart + seconds{1}).has_value());
}

TEST(LatencyQuantile, IsNeverBelowAndAtMostAnEighthAbove) {
  std::mt19937_64 random(1);
  for (const double asked : {0.5, 0.9, 0.95, 0.99}) {
    for (const std::int64_t scale : {10, 100, 5'000, 300'000, 20'000'000}) {
      LatencyQuantile quantile(asked);
      std::vector<std::int64_t> all;
      for (int i = 0; i < 2000; ++i) {
        all.push_back(static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(scale)) + scale / 10);
        quantile.add(microseconds{all.back()}, kStart);
      }
      std::ranges::sort(all);
      const auto truth = static_cast<double>(all[static_cast<std::size_t>(2000 * asked)]);
      const auto got = static_cast<double>(quantile.get(kStart)->count());
      EXPECT_GE(got, truth) << asked << " of " << scale;
      EXPECT_LE(got, truth * 1.125 + 1) << asked << " of " << scale;
    }
  }
}

TEST(LatencyQuantile, ForgetsWhatWasLongAgo) {
  LatencyQuantile quantile(0.95);
  for (int i = 0; i < 1000; ++i) quantile.add(microseconds{900'000}, kStart);
  for (int i = 0; i < 1000; ++i) quantile.add(microseconds{1000}, kStart + seconds{31});
  EXPECT_GT(quantile.get(kStart + seconds{31})->count(), 800'000) << "half of it was just now";
  for (int i = 0; i < 1000; ++i) quantile.add(microseconds{1000}, kStart + seconds{62});
  EXPECT_LT(quantile.get(kStart + seconds{62})->count(), 1200);
  EXPECT_FALSE(quantile.get(kStart + seconds{1000}).has_value());
}

TEST(LatencyQuantile, TakesWhatItHasNoBucketFor) {
  LatencyQuantile quantile(0.5);
  for (int i = 0; i < 50; ++i) quantile.add(microseconds{-5}, kStart);
  for (int i = 0; i < 150; ++i) quantile.add(std::chrono::hours{24}, kStart);
  EXPECT_GT(quantile.get(kStart)->count(), 100'000'000);
}

}  // namespace
}  // namespace rproxy::upstream
