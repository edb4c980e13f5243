#include "storage/flight.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "unit/cache/heads.h"

namespace rproxy::storage {

using namespace cache;
namespace {

struct Passenger : Flight::Listener {
  void on_settled() override { ++told; }
  std::atomic<int> told{0};
};

TEST(Flight, TellsEachOnceAndKeepsTheFirstOutcome) {
  Flight flight(Digest{1, 2}, "v");
  EXPECT_EQ(flight.outcome(), Flight::Outcome::kPending);
  Passenger stays;
  Passenger leaves;
  EXPECT_TRUE(flight.listen(stays));
  EXPECT_TRUE(flight.listen(leaves));
  EXPECT_EQ(flight.listeners(), 2U);
  flight.forget(leaves);
  EXPECT_EQ(flight.listeners(), 1U);

  const auto entry = entry_with({});
  flight.settle(Flight::Outcome::kEntry, entry);
  flight.settle(Flight::Outcome::kFailed, nullptr, Error(ErrorCode::kReset));
  EXPECT_EQ(stays.told, 1);
  EXPECT_EQ(leaves.told, 0);
  EXPECT_EQ(flight.outcome(), Flight::Outcome::kEntry);
  EXPECT_EQ(flight.entry(), entry);
  EXPECT_EQ(flight.listeners(), 0U);

  Passenger late;
  EXPECT_FALSE(flight.listen(late));
  flight.forget(late);
  EXPECT_EQ(late.told, 0);
}

TEST(Flight, SaysWhatFailed) {
  Flight flight(Digest{}, "");
  flight.settle(Flight::Outcome::kFailed, nullptr, Error(ErrorCode::kConnectRefused, Side::kUpstream));
  EXPECT_EQ(flight.error().code, ErrorCode::kConnectRefused);
  EXPECT_EQ(flight.entry(), nullptr);
}

// Whoever was let in is told once, or left before that; nobody is told after forget() has returned.
TEST(Flight, IsSettledWhileOthersComeAndGo) {
  for (int round = 0; round < 200; ++round) {
    Flight flight(Digest{}, "");
    std::vector<std::thread> threads;
    std::atomic<int> wrong{0};
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; i < 20; ++i) {
          Passenger passenger;
          const bool is_in = flight.listen(passenger);
          if (t % 2 == 0) {
            while (is_in && passenger.told == 0) std::this_thread::yield();
          }
          flight.forget(passenger);
          if (passenger.told > 1 || (!is_in && passenger.told != 0)) ++wrong;
          if (!is_in && flight.outcome() == Flight::Outcome::kPending) ++wrong;
        }
      });
    }
    flight.settle(Flight::Outcome::kAbandoned);
    for (auto& thread : threads) thread.join();
    ASSERT_EQ(wrong, 0);
    ASSERT_EQ(flight.listeners(), 0U);
  }
}

}  // namespace
}  // namespace rproxy::storage
