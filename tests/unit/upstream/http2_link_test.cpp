// Which requests an HTTP/2 connection to an endpoint takes, and what is made of one that takes none.
#include "upstream/http2_link.h"

#include "unit/upstream/http2_fixture.h"

namespace rproxy::upstream {
namespace {

// Answers whatever is asked.
void answer_all(Http2Peer& peer) {
  while (const std::int32_t id = peer.next()) peer.server.answer(id, {{":status", "200"}}, "hello");
}

TEST(Http2Link, ServesManyRequests) {
  Http2Fixture f;
  f.on_news = answer_all;
  for (int i = 0; i < 3; ++i) {
    const Fetched got = f.fetch();
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "hello");
    EXPECT_TRUE(got.whole);
  }
  EXPECT_EQ(f.connections, 1);
}

TEST(Http2Link, ServesOneRequestWhereNothingIsKept) {
  Http2Fixture f([](Options& options) { options.pool.max_idle = 0; });
  f.on_news = answer_all;
  EXPECT_EQ(f.fetch().body, "hello");
  EXPECT_EQ(f.fetch().body, "hello");
  EXPECT_EQ(f.connections, 2);
}

TEST(Http2Link, IsOpenedOnceWhereTheServerTakesNoRequests) {
  Http2Fixture f;
  f.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 0}};
  const Fetched got = f.fetch();
  ASSERT_TRUE(got.error.has_value());
  EXPECT_EQ(got.error->side, Side::kUpstream);
  EXPECT_EQ(got.error->retry, Retry::kSafe);
  EXPECT_EQ(f.connections, 1);
}

TEST(Http2Link, IsOpenedOnceWhereTheServerGoesAtOnce) {
  Http2Fixture f;
  f.on_connection = [](Http2Peer& peer) { peer.server.go_away(0); };
  const Fetched got = f.fetch();
  ASSERT_TRUE(got.error.has_value());
  EXPECT_EQ(got.error->side, Side::kUpstream);
  EXPECT_EQ(got.error->retry, Retry::kSafe);
  EXPECT_EQ(f.connections, 1);
}

// One at a time, where the server wants it so: each has its turn.
TEST(Http2Link, ServesACrowdOneByOne) {
  Http2Fixture f;
  f.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}};
  f.on_news = answer_all;
  constexpr int kCrowd = 50;
  std::vector<Fetched> got(kCrowd);
  std::vector<exchange::Request> asked;
  for (int i = 0; i < kCrowd; ++i) asked.push_back(f.request());
  for (int i = 0; i < kCrowd; ++i) f.loop.spawn(f.fetch(asked[i], got[i]));
  f.loop.run();
  for (const Fetched& each : got) EXPECT_EQ(each.body, "hello");
}

// We have told it to go for what it did: what it still holds open is lost, and no more is asked of it.
TEST(Http2Link, TakesNoRequestOnceItsServerHasBrokenTheProtocol) {
  Http2Fixture f;
  f.hangs_up = false;
  bool is_first = true;
  f.on_news = [&](Http2Peer& peer) {
    if (!is_first) return answer_all(peer);
    // DATA of no stream (RFC 9113 6.1).
    if (peer.next() != 0) peer.raw = test::frame(0, 0, 0, "x");
  };
  Fetched lost;
  auto asked = f.request();
  f.serving.spawn(f.fetch(asked, lost));
  f.turns();
  ASSERT_EQ(f.connections, 1);
  is_first = false;
  EXPECT_FALSE(f.acquire_idle().has_value());
  EXPECT_EQ(f.fetch().body, "hello");
  EXPECT_EQ(f.connections, 2);
}

// What it promises would be added to the answer it is promised beside (RFC 9113 8.4).
TEST(Http2Link, TakesNoPromises) {
  Http2Fixture f;
  f.on_news = [](Http2Peer& peer) {
    if (const auto id = peer.next()) {
      const auto promised = static_cast<std::uint32_t>(id);
      // Before it has acknowledged our settings.
      peer.raw = test::frame(4, 0, 0) + test::frame(1, 4, promised, test::field_line(":status", "200")) +
                 test::frame(5, 4, promised, test::big_endian(2, 4) + test::request_lines()) +
                 test::frame(0, 1, promised, "hello");
      (void)peer.server.take();
    }
  };
  f.on_connection = [](Http2Peer& peer) {
    (void)peer.server.take();
    peer.raw = test::frame(4, 0, 0);
  };
  const Fetched got = f.fetch();
  EXPECT_TRUE(got.error.has_value());
  EXPECT_FALSE(got.whole);
}

TEST(Http2Link, GoesWithItsPoolWhileItDies) {
  Http2Fixture f;
  f.on_connection = [](Http2Peer& peer) { peer.raw = "HTTP/1.1 400 Bad Request\r\n\r\n"; };
  net::Poller& poller = f.loop.loop().poller();
  // In the midst of any round.
  for (int rounds = 0; rounds < 12; ++rounds) {
    Fetched got;
    auto asked = f.request();
    net::TaskGroup tasks;
    tasks.spawn(f.fetch(asked, got));
    for (int i = 0; i < rounds; ++i) {
      poller.wait(Duration{0});
      poller.call_ready();
      if (i + 1 < rounds) poller.call_at_end();
    }
    tasks.cancel_all();
    f.pool.reset();
    poller.call_at_end();
    f.make_pool();
  }
}

// Who waited for the greeting has gone; nobody else would ever end it.
TEST(Http2Link, IsGivenUpThoughNobodyWaitsForItsGreetingAnyMore) {
  Http2Fixture f;
  auto [near, far] = f.loop.connected();
  Http2Link link(f.pool->at(0), {}, std::move(near), f.pool->options());
  {
    const auto wait = [](Http2Link& greeted) -> net::Task<void> { (void)co_await greeted.greet(Duration{1'000}); };
    net::TaskGroup tasks;
    tasks.spawn(wait(link));
  }
  EXPECT_FALSE(link.is_dead());
  f.advance(Duration{1'100});
  f.turns();
  EXPECT_TRUE(link.is_dead());
}

TEST(Http2Link, IsGivenUpWhereItsServerAnswersNoPingEither) {
  for (const bool answers : {true, false}) {
    Http2Fixture f;
    Fetched got;
    auto asked = f.request();
    f.serving.spawn(f.fetch(asked, got));
    f.turns();
    ASSERT_EQ(f.connections, 1);
    f.is_deaf = !answers;
    f.advance(Duration{61'000});
    f.turns();
    ASSERT_TRUE(got.error.has_value());
    EXPECT_EQ(got.error->code, ErrorCode::kReadTimeout);
    EXPECT_EQ(got.error->retry, Retry::kIdempotent);
    f.advance(Duration{11'000});
    f.turns();
    EXPECT_EQ(f.acquire_idle().has_value(), answers);
  }
}

// Nobody is kept waiting by requests that are over, however they ended.
TEST(Http2Link, GivesUpItsPlacesWithWhoHadThem) {
  Http2Fixture f;
  f.settings = {{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 2}};
  for (int i = 0; i < 10; ++i) {
    auto asked = f.request();
    Fetched got;
    net::TaskGroup tasks;
    tasks.spawn(f.fetch(asked, got));
    // Its head may be on its way, or not.
    f.turns(i % 5);
  }
  f.on_news = answer_all;
  EXPECT_EQ(f.fetch().body, "hello");
  EXPECT_EQ(f.connections, 1);
  EXPECT_EQ(f.upstream->endpoints()->states()[0]->in_flight(), 0U);
}

// The server changes its mind while requests are under way: they are served, and later ones have to wait or go elsewhere.
TEST(Http2Link, KeepsToAServersLowerNumberOfStreams) {
  Http2Fixture f;
  Fetched first;
  Fetched second;
  auto asked = f.request();
  auto asked_too = f.request();
  f.serving.spawn(f.fetch(asked, first));
  f.turns();
  f.serving.spawn(f.fetch(asked_too, second));
  f.turns();
  ASSERT_EQ(f.connections, 1);
  Http2Peer& peer = *f.peers[0];
  peer.server.change({{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, 1}});
  const auto say = [](Http2Peer& whose) -> net::Task<void> { (void)co_await whose.stream->write(whose.server.take()); };
  f.loop.run(say(peer));
  f.turns();
  EXPECT_FALSE(f.acquire_idle().has_value());
  answer_all(peer);
  f.loop.run(say(peer));
  f.turns();
  EXPECT_EQ(first.body, "hello");
  EXPECT_EQ(second.body, "hello");
  EXPECT_TRUE(f.acquire_idle().has_value());
}

}  // namespace
}  // namespace rproxy::upstream
