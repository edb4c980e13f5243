// What of an endpoint's failures over HTTP/2 counts against it, and what is asked again.
#include "proxy/proxy.h"

#include "base/log.h"
#include "exchange/error_page.h"
#include "unit/upstream/http2_fixture.h"

namespace rproxy::proxy {
namespace {

using upstream::Http2Peer;

struct Fixture : upstream::Http2Fixture {
  explicit Fixture(std::size_t endpoints = 1)
      : Http2Fixture([](upstream::Options& options) { options.policy.kind = balance::PolicyKind::kRoundRobin; },
                     endpoints) {
    log::set_level(LogLevel::kOff);
  }
  ~Fixture() { log::set_level(level_before); }

  net::Task<void> ask(exchange::Request& asked, std::uint16_t& status) {
    auto response = co_await proxy.handle(asked);
    status = response ? response->head.status : exchange::status_of(response.error());
  }
  std::uint16_t ask(std::string_view method = "GET") {
    std::uint16_t status = 0;
    auto asked = request(method);
    loop.run(ask(asked, status));
    return status;
  }
  bool is_ejected() { return upstream->endpoints()->states()[0]->is_ejected(loop.loop().now()); }

  LogLevel level_before = log::level();
  Proxy::Plan plan;
  ForwardingOptions forwarding;
  Proxy proxy{plan, forwarding, *pool};
};

void answer_all(Http2Peer& peer) {
  while (const auto id = peer.next()) peer.server.answer(id, {{":status", "200"}}, "hello");
}

void reset_all(Http2Peer& peer, std::uint32_t word) {
  while (const auto id = peer.next()) peer.server.reset(id, word);
}

TEST(Http2Retries, AnEndpointThatRefusesStreamsIsBusyAndNotBroken) {
  Fixture f;
  f.on_news = answer_all;
  EXPECT_EQ(f.ask(), 200);
  f.on_news = [](Http2Peer& peer) { reset_all(peer, NGHTTP2_REFUSED_STREAM); };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(f.ask(), 503);
  EXPECT_FALSE(f.is_ejected());
}

TEST(Http2Retries, ARefusedStreamIsTriedElsewhere) {
  Fixture f(2);
  f.on_news = [&](Http2Peer& peer) {
    if (&peer == f.peers[0].get()) return reset_all(peer, NGHTTP2_REFUSED_STREAM);
    answer_all(peer);
  };
  for (int i = 0; i < 6; ++i) EXPECT_EQ(f.ask("POST"), 200) << i;
}

// Though its connection lives and has served before.
TEST(Http2Retries, AnEndpointThatResetsEveryStreamIsLeftAlone) {
  Fixture f;
  f.on_news = answer_all;
  EXPECT_EQ(f.ask(), 200);
  int seen = 0;
  f.on_news = [&](Http2Peer& peer) {
    while (const auto id = peer.next()) {
      ++seen;
      peer.server.reset(id, NGHTTP2_INTERNAL_ERROR);
    }
  };
  for (int i = 0; i < 5; ++i) (void)f.ask("POST");
  EXPECT_TRUE(f.is_ejected());
  EXPECT_EQ(seen, 5) << "what may have been done is not asked twice";
}

// Kept connections are likely to be stale all at once: what one has failed is asked on a new one, not on the next of them.
TEST(Http2Retries, KeptConnectionsThatAreAllStaleFailNoRequest) {
  Fixture f;
  f.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}};
  constexpr std::size_t kKept = 4;
  {
    std::vector<upstream::Lease> leases;
    const auto take = [&leases](upstream::Pool& pool) -> net::Task<void> {
      auto lease = co_await pool.at(0).connect(*upstream::Place::take(pool.at(0)));
      if (lease) leases.push_back(std::move(*lease));
    };
    for (std::size_t i = 0; i < kKept; ++i) f.loop.run(take(*f.pool));
    ASSERT_EQ(leases.size(), kKept);
  }
  ASSERT_EQ(f.peers.size(), kKept);
  f.on_news = [&](Http2Peer& peer) {
    const auto is_it = [&](const auto& kept) { return kept.get() == &peer; };
    if (std::none_of(f.peers.begin(), f.peers.begin() + kKept, is_it)) return answer_all(peer);
    if (peer.next() != 0) peer.stream->abort(true);
  };
  EXPECT_EQ(f.ask(), 200);
  EXPECT_EQ(f.peers.size(), kKept + 1);
  EXPECT_FALSE(f.is_ejected());
}

// A server that is restarted in order has failed nobody, even where content was on its way and the request can't be sent again.
TEST(Http2Retries, AServerThatGoesAwayInOrderHasNotFailed) {
  Fixture f;
  f.on_news = [](Http2Peer& peer) {
    if (peer.next() != 0) peer.server.go_away(0);
  };
  for (int i = 0; i < 10; ++i) {
    exchange::StringBody content("content");
    auto asked = f.request("POST");
    asked.body = &content;
    std::uint16_t status = 0;
    f.loop.run(f.ask(asked, status));
    EXPECT_EQ(status, 503);
  }
  EXPECT_FALSE(f.is_ejected());
}

TEST(Http2Retries, AConnectionThatManyWaitForFailsOnce) {
  Fixture f;
  f.refuses = true;
  constexpr int kCrowd = 20;
  std::vector<std::uint16_t> got(kCrowd);
  std::vector<exchange::Request> asked(kCrowd);
  for (auto& one : asked) one = f.request();
  for (int i = 0; i < kCrowd; ++i) f.loop.spawn(f.ask(asked[i], got[i]));
  f.loop.run();
  EXPECT_THAT(got, testing::Each(502));
  EXPECT_EQ(f.connections, 1);
  EXPECT_FALSE(f.is_ejected());
  // And once each time.
  (void)f.ask();
  EXPECT_FALSE(f.is_ejected());
  (void)f.ask();
  EXPECT_TRUE(f.is_ejected());
}

}  // namespace
}  // namespace rproxy::proxy
