#include "upstream/health_checker.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "net/sleep.h"
#include "support/test_loop.h"

namespace rproxy::upstream {
namespace {

using balance::Health;

// An upstream whose servers take connections or refuse them, each by its port, and whose time goes on when the test says.
struct Fixture {
  explicit Fixture(int endpoints = 3) {
    Options options;
    options.name = "app";
    for (int i = 1; i <= endpoints; ++i) {
      options.endpoints.emplace_back();
      options.endpoints.back().address = HostPort::parse("127.0.0.1:" + std::to_string(i)).value();
    }
    options.health.emplace();
    options.health->type = HealthType::kTcp;
    options.health->jitter = 0;
    upstream = std::move(Upstream::create(options)).value();
  }
  void start(std::size_t slots_max = ProbeSlots::kMax) {
    slots = std::make_unique<ProbeSlots>(slots_max);
    checker =
        std::make_unique<HealthChecker>(loop.loop(), upstream, nullptr, *slots, 1,
                                        [this](net::Loop&, net::SocketAddress to, Duration) { return connect(to); });
  }

  net::Task<Result<net::StreamPtr>> connect(net::SocketAddress address) {
    const std::uint16_t port = net::peer_of(address.storage).port;
    ++checks[port];
    if (hanging.contains(port)) {
      most_at_once = std::max(most_at_once, ++at_once);
      co_await net::Sleep(loop.loop(), Duration{1'000});
      --at_once;
    }
    if (refusing.contains(port)) co_return fail(ErrorCode::kConnectRefused, Side::kUpstream, Retry::kSafe);
    auto [ours, theirs] = loop.connected();
    ends.push_back(std::move(theirs));
    co_return std::move(ours);
  }

  // As if so much time had gone by.
  void advance(Duration time) {
    net::DeadlineWheel& wheel = loop.loop().wheel();
    for (Duration gone{0}; gone < time; gone += net::DeadlineWheel::kTick) {
      wheel.advance(wheel.current_tick() + 1);
      for (int i = 0; i < 4; ++i) loop.loop().poll();
    }
  }
  balance::EndpointState& state(std::size_t i) { return upstream->endpoints()->endpoints()[i]->state; }

  test::TestLoop loop;
  std::shared_ptr<Upstream> upstream;
  std::map<std::uint16_t, int> checks;
  std::set<std::uint16_t> refusing;
  std::set<std::uint16_t> hanging;
  int at_once = 0;
  int most_at_once = 0;
  std::vector<net::StreamPtr> ends;
  std::unique_ptr<ProbeSlots> slots;
  std::unique_ptr<HealthChecker> checker;
};

TEST(HealthChecker, FindsOutAboutEachEndpoint) {
  Fixture f;
  f.refusing = {2};
  f.start();
  EXPECT_EQ(f.state(0).health(), Health::kUnknown);
  f.advance(Duration{200});
  EXPECT_EQ(f.state(0).health(), Health::kHealthy);
  EXPECT_EQ(f.state(1).health(), Health::kUnhealthy);
  EXPECT_EQ(f.state(1).health_reason(), "connection refused");
  EXPECT_EQ(f.state(2).health(), Health::kHealthy);
}

TEST(HealthChecker, TakesAFallingEndpointOutAndBringsItBack) {
  Fixture f;
  f.start();
  f.advance(Duration{200});
  f.refusing = {1};
  f.advance(Duration{5'000});
  EXPECT_EQ(f.state(0).health(), Health::kHealthy) << "fall is 3";
  f.advance(Duration{2'300});
  EXPECT_EQ(f.state(0).health(), Health::kUnhealthy);
  f.refusing.clear();
  f.advance(Duration{1'100});
  EXPECT_EQ(f.state(0).health(), Health::kUnhealthy) << "rise is 2";
  f.advance(Duration{1'300});
  EXPECT_EQ(f.state(0).health(), Health::kHealthy);
  EXPECT_EQ(f.state(1).health(), Health::kHealthy);
}

TEST(HealthChecker, ChecksWhatComesAndForgetsWhatGoes) {
  Fixture f(2);
  f.start();
  f.advance(Duration{200});
  const auto kept = f.upstream->endpoints()->endpoints()[0];
  balance::EndpointOptions added;
  added.address = HostPort::parse("127.0.0.1:9").value();
  f.upstream->replace({kept, f.upstream->find_or_make(added, *net::to_socket_address(added.address))});
  f.checker->update();
  EXPECT_EQ(f.checker->size(), 2u);
  const auto before = f.checks;
  f.advance(Duration{200});
  EXPECT_EQ(f.checks[9], 1) << "at once";
  EXPECT_EQ(f.checks[1], before.at(1)) << "in its own time";
  f.advance(Duration{20'000});
  EXPECT_EQ(f.checks[2], before.at(2));
  EXPECT_GE(f.checks[9], 4);
}

TEST(HealthChecker, GoesOnFromWhatWasKnown) {
  Fixture f(1);
  f.refusing = {1};
  f.start();
  f.advance(Duration{200});
  EXPECT_EQ(f.state(0).health(), Health::kUnhealthy);
  f.refusing.clear();
  f.start();
  f.advance(Duration{200});
  EXPECT_EQ(f.state(0).health(), Health::kUnhealthy) << "one good check is not enough";
  f.advance(Duration{1'200});
  EXPECT_EQ(f.state(0).health(), Health::kHealthy);
}

TEST(HealthChecker, ProbesNoMoreThanSoManyAtOnce) {
  Fixture f(10);
  for (std::uint16_t port = 1; port <= 10; ++port) f.hanging.insert(port);
  f.start(3);
  f.advance(Duration{6'000});
  EXPECT_EQ(f.most_at_once, 3);
  EXPECT_EQ(f.checks.size(), 10u);
  for (std::size_t i = 0; i < 10; ++i) EXPECT_EQ(f.state(i).health(), Health::kHealthy) << i;
}

TEST(HealthChecker, TrustsNobodyBeforehandWhereThatIsWanted) {
  Fixture f(1);
  Options options = f.upstream->options();
  options.health->initial = InitialHealth::kUnhealthy;
  f.upstream = std::move(Upstream::create(options)).value();
  f.start();
  EXPECT_FALSE(f.state(0).is_available(Clock::now()));
  f.advance(Duration{200});
  EXPECT_TRUE(f.state(0).is_available(Clock::now()));
}

TEST(HealthChecker, MayEndInTheMidstOfAProbe) {
  Fixture f(4);
  f.hanging = {1, 2, 3, 4};
  f.start(2);
  f.advance(Duration{300});
  EXPECT_EQ(f.at_once, 2);
  f.checker.reset();
  f.advance(Duration{2'000});
  EXPECT_EQ(f.state(0).health(), Health::kUnknown);
}

}  // namespace
}  // namespace rproxy::upstream
