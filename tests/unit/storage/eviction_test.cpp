#include "storage/eviction.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <random>
#include <unordered_map>

namespace rproxy::storage {
namespace {

// A cache of numbers that counts what it was asked for and had.
class Numbers {
 public:
  explicit Numbers(std::size_t most) : eviction_(most) {}

  bool ask(std::uint64_t number, std::size_t cost = 1) {
    if (const auto found = links_.find(number); found != links_.end()) {
      eviction_.use(found->second);
      return true;
    }
    Eviction::Link& link = links_[number];
    // As a digest would be.
    link.digest = number * 0x9e3779b97f4a7c15;
    link.cost = cost;
    eviction_.insert(link);
    while (eviction_.is_over()) {
      Eviction::Link* const gone = eviction_.evict();
      if (gone == nullptr) break;
      std::erase_if(links_, [&](const auto& each) { return &each.second == gone; });
    }
    return false;
  }
  bool has(std::uint64_t number) const { return links_.contains(number); }
  std::size_t sum() const {
    std::size_t all = 0;
    for (const auto& [number, link] : links_) all += link.cost;
    return all;
  }
  Eviction& eviction() { return eviction_; }
  Eviction::Link& link(std::uint64_t number) { return links_.at(number); }

 private:
  std::unordered_map<std::uint64_t, Eviction::Link> links_;
  Eviction eviction_;
};

// What evicts the least recently used would have.
class LeastRecent {
 public:
  explicit LeastRecent(std::size_t most) : most_(most) {}
  bool ask(std::uint64_t number) {
    const auto found = std::ranges::find(order_, number);
    const bool had = found != order_.end();
    if (had) order_.erase(found);
    order_.push_back(number);
    if (order_.size() > most_) order_.pop_front();
    return had;
  }

 private:
  std::size_t most_;
  std::deque<std::uint64_t> order_;
};

TEST(Eviction, AHotSetSurvivesAScan) {
  Numbers numbers(100);
  LeastRecent least_recent(100);
  const auto ask_hot = [&](auto& cache) {
    int had = 0;
    for (std::uint64_t hot = 0; hot < 50; ++hot) had += cache.ask(hot) ? 1 : 0;
    return had;
  };
  for (int round = 0; round < 4; ++round) {
    ask_hot(numbers);
    ask_hot(least_recent);
  }
  for (std::uint64_t cold = 1000; cold < 2000; ++cold) {
    numbers.ask(cold);
    least_recent.ask(cold);
  }
  EXPECT_EQ(ask_hot(least_recent), 0);
  EXPECT_EQ(ask_hot(numbers), 50);
}

TEST(Eviction, WhatComesBackSoonAfterItLeftStays) {
  Numbers numbers(100);
  for (std::uint64_t each = 0; each < 100; ++each) numbers.ask(each);
  EXPECT_TRUE(numbers.has(0));
  numbers.ask(100);
  EXPECT_FALSE(numbers.has(0));
  EXPECT_FALSE(numbers.ask(0));
  EXPECT_EQ(numbers.link(0).queue, Eviction::Link::Queue::kMain);
  EXPECT_EQ(numbers.link(100).queue, Eviction::Link::Queue::kSmall);
}

TEST(Eviction, CountsEveryByte) {
  std::mt19937_64 random(7);
  Numbers numbers(1000);
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t number = random() % 300;
    if (numbers.has(number) && random() % 8 == 0) {
      numbers.eviction().set_cost(numbers.link(number), random() % 60);
    } else if (!numbers.ask(number, random() % 60)) {
      ASSERT_LE(numbers.eviction().cost(), 1000U);
    }
    ASSERT_EQ(numbers.eviction().cost(), numbers.sum());
  }
}

TEST(Eviction, EndsWhereAllAreInUse) {
  Numbers numbers(10);
  for (int round = 0; round < 5; ++round) {
    for (std::uint64_t each = 0; each < 10; ++each) numbers.ask(each);
  }
  numbers.eviction().set_most(0);
  int gone = 0;
  while (numbers.eviction().evict() != nullptr) ++gone;
  EXPECT_EQ(gone, 10);
  EXPECT_EQ(numbers.eviction().cost(), 0U);
  EXPECT_EQ(numbers.eviction().evict(), nullptr);
}

TEST(Eviction, WhatIsRemovedIsGoneOnce) {
  Numbers numbers(10);
  for (std::uint64_t each = 0; each < 3; ++each) numbers.ask(each);
  numbers.eviction().remove(numbers.link(1));
  numbers.eviction().remove(numbers.link(1));
  EXPECT_EQ(numbers.eviction().cost(), 2U);
  EXPECT_EQ(numbers.eviction().evict(), &numbers.link(0));
  EXPECT_EQ(numbers.eviction().evict(), &numbers.link(2));
  EXPECT_EQ(numbers.eviction().evict(), nullptr);
}

// Of requests by Zipf's law it keeps about as much as the best known policies do: more than LRU.
TEST(Eviction, KeepsMoreThanTheLeastRecentlyUsedWouldBe) {
  std::mt19937_64 random(42);
  std::vector<double> weights;
  for (int rank = 1; rank <= 2000; ++rank) weights.push_back(1.0 / rank);
  std::discrete_distribution<std::uint64_t> draw(weights.begin(), weights.end());
  Numbers numbers(200);
  LeastRecent least_recent(200);
  int had = 0;
  int had_least_recent = 0;
  for (int i = 0; i < 50'000; ++i) {
    const auto number = draw(random);
    had += numbers.ask(number) ? 1 : 0;
    had_least_recent += least_recent.ask(number) ? 1 : 0;
  }
  EXPECT_GT(had, had_least_recent);
}

}  // namespace
}  // namespace rproxy::storage
