// p2c_ewma among servers that are slow, silent, and well again, request by request on a clock of our own.
#include <gtest/gtest.h>

#include <functional>
#include <list>
#include <optional>

#include "balance/waiting.h"
#include "unit/balance/endpoints.h"

namespace rproxy::balance {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kTimeout{2'000};

// A request each millisecond; each server answers after what `latency` says, or never, which the proxy bears for two seconds.
class World {
 public:
  using Latency = std::function<milliseconds(std::size_t server, milliseconds at)>;
  World(std::size_t servers, Latency latency)
      : endpoints_(std::vector<std::uint32_t>(servers, 1), no_ejection()), latency_(std::move(latency)) {
    policy_ = make_policy({PolicyKind::kP2cEwma}, endpoints_.states, 7);
  }

  // How many requests each server gets meanwhile.
  std::vector<int> run(milliseconds time) {
    std::vector<int> count(endpoints_.states.size());
    for (const milliseconds end = at_ + time; at_ < end; ++at_) {
      answer();
      const std::size_t picked = *policy_->pick({kNone, now()});
      ++count[picked];
      endpoints_[picked].begin();
      const milliseconds takes = latency_(picked, at_);
      flights_.push_back({picked, at_, at_ + std::min(takes, kTimeout), Waiting(endpoints_[picked], now())});
    }
    return count;
  }

 private:
  struct Flight {
    std::size_t server;
    milliseconds begin;
    milliseconds end;
    Waiting waiting;
  };

  static EjectionOptions no_ejection() {
    EjectionOptions options;
    options.consecutive_failures = 0;
    return options;
  }
  TimePoint now() const { return kNow + at_; }

  void answer() {
    std::erase_if(flights_, [&](const Flight& each) {
      if (each.end > at_) return false;
      const milliseconds took = each.end - each.begin;
      endpoints_[each.server].record(took >= kTimeout ? Outcome::kTimeout : Outcome::kSuccess, took, now());
      endpoints_[each.server].end();
      return true;
    });
  }

  Endpoints endpoints_;
  Latency latency_;
  std::unique_ptr<Policy> policy_;
  milliseconds at_{0};
  std::list<Flight> flights_;
};

constexpr milliseconds kNever{1'000'000'000};

TEST(P2cEwma, SendsASilentServerLittleAndFindsOutWhenItIsWell) {
  const milliseconds well{60'000};
  World world(3, [&](std::size_t server, milliseconds at) {
    return server == 0 && at < well && at >= milliseconds(1'000) ? kNever : milliseconds(5);
  });
  EXPECT_GT(world.run(milliseconds(1'000))[0], 250);  // a third, before it falls silent
  // A few until their waiting tells, and few tries again: each costs a client its time.
  const int silent = world.run(well - milliseconds(1'000))[0];
  EXPECT_GT(silent, 0);
  EXPECT_LT(silent, 60);
  // Two seconds' timeout among answers of 5 ms: forgotten within ten times ln(2000 / 5), a minute.
  world.run(milliseconds(70'000));
  EXPECT_GT(world.run(milliseconds(30'000))[0], 8'000);
}

TEST(P2cEwma, DoesNotTrustAServerThatHasNeverAnswered) {
  World world(3, [](std::size_t server, milliseconds) { return server == 0 ? kNever : milliseconds(5); });
  const int silent = world.run(milliseconds(60'000))[0];
  EXPECT_GT(silent, 0);
  EXPECT_LT(silent, 30);
}

TEST(P2cEwma, GivesASlowServerFewRequestsButSome) {
  World world(2, [](std::size_t server, milliseconds) { return milliseconds(server == 0 ? 100 : 5); });
  const auto count = world.run(milliseconds(120'000));
  EXPECT_GT(count[0], 2);
  EXPECT_LT(count[0], 6'000);
}

}  // namespace
}  // namespace rproxy::balance
