// What is counted of each attempt at an endpoint.
#include <gtest/gtest.h>

#include "base/log.h"
#include "proxy/proxy.h"
#include "unit/upstream/http2_fixture.h"

namespace rproxy::proxy {
namespace {

using upstream::Http2Peer;

struct Fixture : upstream::Http2Fixture {
  Fixture()
      : Http2Fixture([](upstream::Options& options) { options.policy.kind = balance::PolicyKind::kRoundRobin; }, 2) {
    log::set_level(LogLevel::kOff);
  }
  ~Fixture() { log::set_level(level_before); }

  net::Task<void> ask(exchange::Request& asked) { (void)co_await proxy.handle(asked); }
  void ask() {
    auto asked = request("GET");
    loop.run(ask(asked));
  }
  metrics::EndpointSeries& series(std::size_t index) { return pool->at(index).series(); }

  LogLevel level_before = log::level();
  Proxy::Plan plan;
  ForwardingOptions forwarding;
  Proxy proxy{plan, forwarding, *pool};
};

TEST(Recording, CountsEachAttemptWhereItWentAndHowItEnded) {
  Fixture f;
  f.on_news = [&](Http2Peer& peer) {
    const bool refuses = peer.port == 1;
    while (const auto id = peer.next()) {
      if (refuses) {
        peer.server.reset(id, NGHTTP2_REFUSED_STREAM);
      } else {
        peer.server.answer(id, {{":status", "404"}}, "hello");
      }
    }
  };
  for (int i = 0; i < 6; ++i) f.ask();
  const auto refused = f.series(0).failures[static_cast<std::size_t>(metrics::Failure::kRefused)].value();
  EXPECT_GT(refused, 0U);
  EXPECT_EQ(f.series(0).requests.value(), refused);
  EXPECT_EQ(f.series(0).retries.value(), 0U);
  EXPECT_EQ(f.series(0).first_byte.count(), 0U);
  EXPECT_EQ(f.series(1).requests.value(), 6U);
  EXPECT_EQ(f.series(1).retries.value(), refused);
  EXPECT_EQ(f.series(1).responses.value(4), 6U);
  EXPECT_EQ(f.series(1).first_byte.count(), 6U);
  EXPECT_EQ(f.series(1).connect.count(), 1U) << "the others went by the connection that was there";
  metrics::EndpointSeries total;
  f.upstream->endpoints()->endpoints()[1]->series.add_to(total);
  EXPECT_EQ(total.requests.value(), 6U);
}

}  // namespace
}  // namespace rproxy::proxy
