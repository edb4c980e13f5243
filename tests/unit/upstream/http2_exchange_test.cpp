// One request to an endpoint over HTTP/2, and the ways its answer may come or fail to.
#include "upstream/http2_exchange.h"

#include "unit/upstream/http2_fixture.h"

namespace rproxy::upstream {
namespace {

using test::Lines;

TEST(Http2Exchange, TakesAnAnswerThatIsOnlyResetForWholeUnlessItsLengthSaysOtherwise) {
  for (const std::string_view length : {"", "4", "5"}) {
    Http2Fixture f;
    f.on_news = [&](Http2Peer& peer) {
      const std::int32_t id = peer.next();
      if (id == 0) return;
      Lines head{{":status", "200"}};
      if (!length.empty()) head.emplace_back("content-length", length);
      peer.server.answer(id, head, "some", false);
      peer.raw = peer.server.take();
      peer.server.reset(id, NGHTTP2_NO_ERROR);
    };
    const Fetched got = f.fetch();
    EXPECT_EQ(got.status, 200);
    EXPECT_EQ(got.body, "some");
    EXPECT_EQ(got.whole, length != "5") << length;
  }
}

// A client that takes its time with "100 Continue" is not the endpoint's delay.
TEST(Http2Exchange, WaitsForTheAnswerThoughTheClientWasSlowToTakeTheInterimOne) {
  Http2Fixture f;
  struct SlowSink final : exchange::InterimSink {
    explicit SlowSink(Http2Fixture& fixture) : f(fixture) {}
    net::Task<Result<void>> interim(http::ResponseHead&) override {
      co_await net::NextTurn(f.loop);
      f.advance(Duration{2'000});
      co_await net::NextTurn(f.loop);
      co_return Result<void>();
    }
    Http2Fixture& f;
  } sink(f);
  bool is_asked = false;
  f.on_news = [&](Http2Peer& peer) {
    if (const auto id = peer.next()) peer.server.interim(id, {{":status", "100"}});
    for (const auto& [id, request] : peer.server.requests()) {
      if (request.whole && !std::exchange(is_asked, true)) peer.server.answer(id, {{":status", "200"}}, "done");
    }
  };
  auto asked = f.request("POST");
  exchange::StringBody content("content");
  asked.body = &content;
  asked.head.expect_continue = true;
  asked.interim = &sink;
  const Fetched got = f.fetch(std::move(asked));
  EXPECT_FALSE(got.error.has_value()) << describe(*got.error);
  EXPECT_EQ(got.body, "done");
}

// What an answer may not be: each ends in an error, and nothing of it gets to the client.
TEST(Http2Exchange, RefusesHeadsThatAreNone) {
  const std::vector<Lines> bad{
      {{":status", "101"}},
      {{":status", "20"}},
      {{":status", "2000"}},
      {{":status", "600"}},
      {{":status", "200"}, {"x", "a\r\nset-cookie: b"}},
      {{":status", "200"}, {"x", std::string("a\0b", 3)}},
      {{":status", "200"}, {"x", "a\nb"}},
      {{":status", "200"}, {"a b", "c"}},
      {{":status", "200"}, {"a:b", "c"}},
      {{":status", "200"}, {"", "c"}},
      {{":status", "200"}, {"a\r\nb", "c"}},
      {{":status", "200"}, {"X-Capital", "c"}},
      {{":status", "200"}, {":path", "/"}},
      {{":status", "200"}, {":unknown", "/"}},
      {{":status", "200"}, {"connection", "x"}},
      {{":status", "200"}, {"transfer-encoding", "chunked"}},
      {{":status", "200"}, {"upgrade", "x"}},
      {{":status", "200"}, {"content-length", "1"}, {"content-length", "2"}},
      {{":status", "200"}, {"content-length", "-1"}},
      {{":status", "200"}, {"content-length", "6"}},
      {{"x", "no status"}},
  };
  for (const Lines& lines : bad) {
    Http2Fixture f;
    f.on_connection = [](Http2Peer& peer) { peer.raw = peer.server.take(); };
    f.on_news = [&](Http2Peer& peer) {
      const auto id = static_cast<std::uint32_t>(peer.next());
      if (id == 0) return;
      std::string block;
      for (const auto& [name, value] : lines) block += test::field_line(name, value);
      peer.raw = test::frame(1, 4, id, block) + test::frame(0, 1, id, "hello");
    };
    const Fetched got = f.fetch();
    EXPECT_FALSE(got.whole) << testing::PrintToString(lines);
  }
}

TEST(Http2Exchange, RefusesTrailersThatAreNone) {
  for (const Lines& lines : {Lines{{":status", "200"}}, Lines{{"a b", "c"}}, Lines{{"x", "a\r\nb"}}}) {
    Http2Fixture f;
    f.on_news = [&](Http2Peer& peer) {
      const auto id = static_cast<std::uint32_t>(peer.next());
      if (id == 0) return;
      std::string block;
      for (const auto& [name, value] : lines) block += test::field_line(name, value);
      peer.raw = test::frame(1, 4, id, test::field_line(":status", "200")) + test::frame(0, 0, id, "hello") +
                 test::frame(1, 5, id, block);
    };
    EXPECT_FALSE(f.fetch().whole) << testing::PrintToString(lines);
  }
}

TEST(Http2Exchange, TakesNoMoreInterimAnswersThanAreOfUse) {
  Http2Fixture f;
  f.on_news = [](Http2Peer& peer) {
    if (const auto id = peer.next()) {
      for (int i = 0; i < 100; ++i) peer.server.interim(id, {{":status", "103"}});
      peer.server.answer(id, {{":status", "200"}}, "late");
    }
  };
  const Fetched got = f.fetch();
  ASSERT_TRUE(got.error.has_value());
  EXPECT_EQ(got.error->code, ErrorCode::kBadResponse);
}

// What came before the connection broke is read, and then that it is not all.
TEST(Http2Exchange, TellsOfContentThatItsConnectionTookAway) {
  Http2Fixture f;
  f.on_news = [](Http2Peer& peer) {
    if (const auto id = peer.next()) {
      peer.server.answer(id, {{":status", "200"}}, "some", false);
      peer.raw = peer.server.take();
    }
  };
  Fetched got;
  auto asked = f.request();
  f.serving.spawn(f.fetch(asked, got));
  f.turns();
  f.peers[0]->stream->abort(true);
  f.turns();
  EXPECT_EQ(got.body, "some");
  EXPECT_FALSE(got.whole);
  ASSERT_TRUE(got.error.has_value());
  EXPECT_EQ(got.error->side, Side::kUpstream);
}

// RFC 9113 8.7: nothing was done, so any request may be sent again.
TEST(Http2Exchange, SaysWhatMayBeSentAgain) {
  const struct {
    std::uint32_t word;
    Retry retry;
  } cases[] = {{NGHTTP2_REFUSED_STREAM, Retry::kSafe},
               {NGHTTP2_INTERNAL_ERROR, Retry::kIdempotent},
               {NGHTTP2_CANCEL, Retry::kIdempotent}};
  for (const auto& each : cases) {
    Http2Fixture f;
    f.on_news = [&](Http2Peer& peer) {
      if (const auto id = peer.next()) peer.server.reset(id, each.word);
    };
    const Fetched got = f.fetch();
    ASSERT_TRUE(got.error.has_value());
    EXPECT_EQ(got.error->retry, each.retry) << each.word;
  }
}

TEST(Http2Exchange, SendsAgainWhatAServerThatGoesHasNotLookedAt) {
  for (const bool looked : {false, true}) {
    Http2Fixture f;
    f.on_news = [&](Http2Peer& peer) {
      if (const auto id = peer.next())
        peer.raw = test::frame(7, 0, 0, test::big_endian(looked ? id : 0, 4) + test::big_endian(0, 4));
      if (peer.answered != 0 && peer.server.farewell()) peer.stream->shutdown_write();
    };
    Fetched got;
    auto asked = f.request();
    f.serving.spawn(f.fetch(asked, got));
    f.turns();
    if (looked) {
      EXPECT_FALSE(got.error.has_value()) << "it may still be answered";
      f.peers[0]->stream->abort(true);
      f.turns();
    }
    ASSERT_TRUE(got.error.has_value());
    EXPECT_EQ(got.error->retry, looked ? Retry::kIdempotent : Retry::kSafe);
  }
}

}  // namespace
}  // namespace rproxy::upstream
