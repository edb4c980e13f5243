// What is counted, and what a reader makes of the threads' parts.
#include "metrics/series.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "metrics/sharded.h"
#include "metrics/word_counters.h"

namespace rproxy::metrics {
namespace {

using std::chrono::microseconds;

TEST(Histogram, PutsEachTimeIntoTheBucketWhoseUpperEndItDoesNotPass) {
  struct Case {
    std::int64_t us;
    std::size_t bucket;
  };
  for (const Case& each : {Case{-5, 0}, Case{0, 0}, Case{100, 0}, Case{101, 1}, Case{250, 1}, Case{251, 2},
                           Case{1'000, 3}, Case{60'000'000, 17}, Case{60'000'001, 18}}) {
    Histogram histogram;
    histogram.observe(microseconds(each.us));
    EXPECT_EQ(histogram.bucket(each.bucket), 1U) << each.us;
    EXPECT_EQ(histogram.count(), 1U);
    EXPECT_EQ(histogram.sum().count(), std::max<std::int64_t>(0, each.us));
  }
}

TEST(Histogram, BoundsGrow) { EXPECT_TRUE(std::ranges::is_sorted(Histogram::kBounds, std::less_equal<>())); }

TEST(StatusCounters, CountByTheFirstDigit) {
  struct Case {
    std::uint16_t status;
    std::size_t index;
  };
  for (const Case& each : {Case{0, 0}, Case{99, 0}, Case{101, 1}, Case{200, 2}, Case{308, 3}, Case{499, 4},
                           Case{599, 5}, Case{600, 0}, Case{65535, 0}}) {
    StatusCounters counters;
    counters.count(each.status);
    for (std::size_t i = 0; i < StatusCounters::kNames.size(); ++i) {
      EXPECT_EQ(counters.value(i), i == each.index ? 1U : 0U) << each.status;
    }
  }
}

TEST(Sharded, GivesEachThreadItsOwnAndSumsThem) {
  Sharded<EndpointSeries> shared;
  EXPECT_EQ(&shared.of(3), &shared.of(3));
  EXPECT_NE(&shared.of(3), &shared.of(0));
  shared.of(3).requests.add(2);
  shared.of(0).requests.add(5);
  shared.of(0).fail(Failure::kTls);
  shared.of(3).first_byte.observe(microseconds(300));
  shared.of(0).first_byte.observe(microseconds(300));
  EndpointSeries total;
  shared.add_to(total);
  EXPECT_EQ(total.requests.value(), 7U);
  EXPECT_EQ(total.failures[1].value(), 1U);
  EXPECT_EQ(total.first_byte.bucket(2), 2U);
  EXPECT_EQ(total.first_byte.sum().count(), 600);
}

// Under ThreadSanitizer this is the proof that reading while others write is no race.
TEST(Sharded, LosesNothingOfThreadsThatCountAtOnce) {
  constexpr std::size_t kThreads = 4;
  constexpr std::uint64_t kTimes = 20'000;
  Sharded<RouteSeries> shared;
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&shared, i] {
      RouteSeries& own = shared.of(i);
      for (std::uint64_t k = 0; k < kTimes; ++k) {
        own.requests.count(200);
        own.duration.observe(microseconds(k));
        own.bytes_sent.add(3);
      }
    });
  }
  std::uint64_t before = 0;
  for (int i = 0; i < 100; ++i) {
    RouteSeries seen;
    shared.add_to(seen);
    EXPECT_GE(seen.requests.value(2), before);
    before = seen.requests.value(2);
  }
  for (auto& thread : threads) thread.join();
  RouteSeries total;
  shared.add_to(total);
  EXPECT_EQ(total.requests.value(2), kThreads * kTimes);
  EXPECT_EQ(total.duration.count(), kThreads * kTimes);
  EXPECT_EQ(total.bytes_sent.value(), 3 * kThreads * kTimes);
}

TEST(WordCounters, LearnWordsAsTheyComeAndCountTheRestTogether) {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < WordCounters::kWordsMax + 3; ++i) words.push_back("word" + std::to_string(i));
  WordCounters first;
  WordCounters second;
  for (const auto& word : words) first.count(word);
  first.count(words[0]);
  second.count("word0");
  WordCounters::Totals totals;
  totals += first;
  totals += second;
  EXPECT_EQ(totals["word0"], 3U);
  EXPECT_EQ(totals["word31"], 1U);
  EXPECT_EQ(totals[WordCounters::kOther], 3U);
  EXPECT_EQ(totals.size(), WordCounters::kWordsMax + 1);
}

}  // namespace
}  // namespace rproxy::metrics
