#include "limit/concurrency_table.h"

#include <gtest/gtest.h>

#include <atomic>
#include <latch>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace rproxy::limit {
namespace {

const KeyHasher kHasher(7);
Key key(int number) { return kHasher.of(0, std::to_string(number)); }

TEST(ConcurrencyTable, LetsSoManyInAndOneForEachThatLeaves) {
  ConcurrencyTable table(100);
  std::vector<ConcurrencyTable::Permit> permits;
  while (auto permit = table.try_acquire(key(1), 3)) permits.push_back(std::move(*permit));
  EXPECT_EQ(permits.size(), 3U);
  EXPECT_EQ(table.in_use(key(1)), 3U);
  EXPECT_TRUE(table.try_acquire(key(2), 1));
  permits.pop_back();
  EXPECT_TRUE(table.try_acquire(key(1), 3));
  EXPECT_FALSE(table.try_acquire(key(1), 2));
  EXPECT_FALSE(table.try_acquire(key(3), 0));
  permits.clear();
  EXPECT_EQ(table.in_use(key(1)), 0U);
  EXPECT_EQ(table.count(), 0U);
}

TEST(ConcurrencyTable, APermitCountsOnceHoweverItIsMoved) {
  ConcurrencyTable table(100);
  auto first = table.try_acquire(key(1), 5);
  auto second = table.try_acquire(key(2), 5);
  {
    ConcurrencyTable::Permit moved(std::move(*first));
    EXPECT_FALSE(first->is_counted());
    EXPECT_TRUE(moved.is_counted());
    *second = std::move(moved);
    EXPECT_EQ(table.in_use(key(1)) + table.in_use(key(2)), 2U);
  }
  EXPECT_EQ(table.in_use(key(1)), 1U);
  EXPECT_EQ(table.in_use(key(2)), 0U);
  second.reset();
  EXPECT_EQ(table.count(), 0U);
}

TEST(ConcurrencyTable, WithoutRoomNobodyIsCountedAndNobodyForgotten) {
  ConcurrencyTable table(1);  // a single bucket of 15
  std::vector<ConcurrencyTable::Permit> permits;
  for (int i = 0; i < 15; ++i) permits.push_back(std::move(*table.try_acquire(key(i), 1)));
  {
    const auto one_more = table.try_acquire(key(15), 1);
    ASSERT_TRUE(one_more);
    EXPECT_FALSE(one_more->is_counted());
  }
  EXPECT_EQ(table.uncounted(), 1U);
  EXPECT_EQ(table.count(), 15U);
  for (int i = 0; i < 15; ++i) EXPECT_FALSE(table.try_acquire(key(i), 1));
  permits.pop_back();
  EXPECT_TRUE(table.try_acquire(key(15), 1)->is_counted());
}

TEST(ConcurrencyTable, IsExactWhicheverThreadsAsk) {
  ConcurrencyTable table(1'000);
  std::atomic<int> inside{0};
  std::atomic<int> most{0};
  std::latch all_there(8);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      all_there.arrive_and_wait();
      for (int k = 0; k < 20'000; ++k) {
        const auto other = table.try_acquire(key(10 + (k + i) % 50), 100);
        const auto permit = table.try_acquire(key(1), 5);
        if (!permit) continue;
        const int now = ++inside;
        for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) continue;
        if (k % 16 == 0) std::this_thread::yield();
        --inside;
      }
    });
  }
  threads.clear();
  EXPECT_LE(most, 5);
  EXPECT_EQ(table.count(), 0U);
  EXPECT_EQ(table.uncounted(), 0U);
}

TEST(ConcurrencyTable, LosesNoCountOfOneKeyThatAllThreadsWant) {
  ConcurrencyTable table(1'000);
  std::latch all_there(8);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      const Key wanted = key(1);
      all_there.arrive_and_wait();
      for (int k = 0; k < 300'000; ++k) table.try_acquire(wanted, 6);
    });
  }
  threads.clear();
  EXPECT_EQ(table.in_use(key(1)), 0U);
}

}  // namespace
}  // namespace rproxy::limit
