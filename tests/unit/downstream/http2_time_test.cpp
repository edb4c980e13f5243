// When a client's HTTP/2 connection ends by itself: idleness, heads that drip, a server that goes.
#include "http2_fixture.h"

namespace rproxy::downstream {
namespace {

using testing::IsEmpty;
using testing::SizeIs;
using Client = test::Http2Client;

constexpr Duration kTick = net::DeadlineWheel::kTick;

TEST(Http2Time, EndsAConnectionWithoutARequestAfterTheTimeForAHead) {
  Http2Fixture f;
  int rounds = 0;
  f.talk([&](Client&) {
    if (++rounds == 2) f.advance(f.options.head_timeout + 2 * kTick);
    return false;
  });
  EXPECT_TRUE(f.was_ended);
  ASSERT_THAT(f.client.goaways(), SizeIs(1));
  EXPECT_EQ(f.client.goaways()[0].word, 0U);
  EXPECT_THAT(f.lines.all, IsEmpty());
}

TEST(Http2Time, KeepsAnIdleConnectionForItsTime) {
  Http2Fixture f;
  int answered = 0;
  std::int32_t id = 0;
  f.talk([&](Client& client) {
    if (id != 0 && !client.answer(id).closed) return false;
    if (answered == 3) {
      f.advance(f.options.keep_alive_timeout + 2 * kTick);
      ++answered;
      return false;
    }
    if (answered > 3) return false;
    // Its time begins anew with each request.
    if (answered > 0) f.advance(f.options.keep_alive_timeout / 2 + 5 * kTick);
    id = client.ask({});
    ++answered;
    return false;
  });
  EXPECT_TRUE(f.was_ended);
  EXPECT_THAT(f.lines.all, SizeIs(3));
  ASSERT_THAT(f.client.goaways(), SizeIs(1));
  EXPECT_EQ(f.client.goaways()[0].word, 0U);
}

// What a listener of both versions allows for the first bytes is over with them.
TEST(Http2Time, LetsARequestTakeItsTimeWhereTheVersionWasToldFromTheFirstBytes) {
  Http2Fixture f;
  std::int32_t slow = 0;
  std::int32_t next = 0;
  auto [near, far] = f.loop.connected();
  f.loop.run(f.converse(std::move(near),
                        [&](Client& client) {
                          if (slow == 0) {
                            slow = client.ask({"GET", "/slow"});
                          } else if (next == 0 && f.service.alive == 1) {
                            f.advance(f.options.head_timeout + 2 * kTick);
                            next = client.ask({});
                          }
                          return next != 0 && client.answer(next).closed;
                        }),
             serve_http1(std::move(far), {}, f.context));
  EXPECT_FALSE(f.was_ended);
  EXPECT_EQ(f.client.answer(next).status(), "200");
}

// Frames that are no request keep nothing alive.
TEST(Http2Time, CountsPingsAsIdle) {
  Http2Fixture f;
  std::int32_t id = 0;
  int pings = 0;
  f.talk([&](Client& client) {
    if (id == 0) id = client.ask({});
    if (!client.answer(id).closed || ++pings > 10) return false;
    f.advance(f.options.keep_alive_timeout / 8);
    nghttp2_submit_ping(client.session(), 0, nullptr);
    return false;
  });
  EXPECT_TRUE(f.was_ended);
  EXPECT_LE(pings, 10);
}

TEST(Http2Time, EndsAConnectionWhoseHeadDrips) {
  Http2Fixture f;
  int rounds = 0;
  f.talk([&](Client& client) {
    if (++rounds == 2) {
      f.raw = client.take() + test::frame(1, 1, 1, test::request_lines().substr(0, 10));
      f.later = [&] { f.advance(f.options.head_timeout + 2 * kTick); };
    }
    return false;
  });
  EXPECT_TRUE(f.was_ended);
  ASSERT_THAT(f.client.goaways(), SizeIs(1));
  EXPECT_EQ(f.client.goaways()[0].word, static_cast<std::uint32_t>(NGHTTP2_ENHANCE_YOUR_CALM));
  EXPECT_THAT(f.lines.all, SizeIs(1));
}

// A head that was malformed is over: nobody waits for the rest of it.
TEST(Http2Time, WaitsForNoMoreOfAMalformedHead) {
  Http2Fixture f;
  std::int32_t bad = 0;
  std::int32_t next = 0;
  f.talk([&](Client& client) {
    if (bad == 0) {
      client.ask({"GET", "/slow"});
      bad = client.ask({"GET", "/", {{"bad name", "x"}}});
    } else if (next == 0 && client.answer(bad).closed) {
      f.advance(f.options.head_timeout + 2 * kTick);
      next = client.ask({});
    }
    return next != 0 && client.answer(next).closed;
  });
  EXPECT_FALSE(f.was_ended);
  EXPECT_EQ(f.client.answer(next).status(), "200");
  EXPECT_THAT(f.client.goaways(), IsEmpty());
}

TEST(Http2Time, GivesUpContentThatDoesNotCome) {
  Http2Fixture f;
  std::int32_t id = 0;
  f.talk([&](Client& client) {
    if (id == 0) {
      id = client.ask({"POST", "/echo", {}, "half", false});
      f.later = [&] { f.advance(f.options.body_timeout + 2 * kTick); };
    }
    return client.answer(id).closed.has_value();
  });
  EXPECT_EQ(f.service.heard, "half");
  EXPECT_EQ(f.service.missing, "read_timeout");
  EXPECT_EQ(f.client.answer(id).status(), "408");
  ASSERT_THAT(f.lines.all, SizeIs(1));
}

// A client that takes none of one answer loses that one only.
TEST(Http2Time, GivesUpAnAnswerThatIsNotTaken) {
  Http2Fixture f;
  std::int32_t id = 0;
  std::int32_t next = 0;
  f.talk([&](Client& client) {
    if (id == 0) {
      const nghttp2_settings_entry none{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
      nghttp2_submit_settings(client.session(), 0, &none, 1);
      id = client.ask({});
    } else if (next == 0 && client.answer(id).status() == "200") {
      // Its head has been taken, once.
      for (int i = 0; i < 2; ++i) f.advance(f.options.send_timeout + 2 * kTick);
      next = client.ask({"GET", "/204"});
    }
    return next != 0 && client.answer(next).closed && client.answer(id).closed;
  });
  EXPECT_TRUE(f.client.answer(id).was_reset);
  EXPECT_EQ(f.client.answer(next).status(), "204");
  ASSERT_THAT(f.lines.all, SizeIs(2));
  EXPECT_EQ(f.lines.all[0].termination, "client_send_timeout");
}

// RFC 9113 6.8: what comes between the two GOAWAYs is answered, and what was begun is finished.
TEST(Http2Time, LeavesInTwoSteps) {
  Http2Fixture f;
  std::int32_t first = 0;
  std::int32_t late = 0;
  f.talk([&](Client& client) {
    if (first == 0) {
      first = client.ask({"POST", "/echo", {}, "one ", false});
      f.later = [&] {
        f.context.idle.drain();
        late = client.ask({});
        f.later = [&] {
          for (int i = 0; i < 3; ++i) f.context.idle.drain();
          f.advance(Duration{500} + 2 * kTick);
        };
      };
    } else if (client.goaways().size() == 2) {
      client.say(first, "two");
      client.finish(first);
    }
    return false;
  });
  EXPECT_TRUE(f.was_ended);
  ASSERT_THAT(f.client.goaways(), SizeIs(2));
  EXPECT_EQ(f.client.goaways()[0].last, 0x7fffffff);
  EXPECT_EQ(f.client.goaways()[1].last, late);
  EXPECT_EQ(f.client.answer(first).body, "one two");
  EXPECT_EQ(f.client.answer(late).body, "hello");
  ASSERT_THAT(f.lines.all, SizeIs(2));
  for (const Told& line : f.lines.all) EXPECT_EQ(line.termination, "ok");
}

// The same where a connection has served its requests, though no server goes.
TEST(Http2Time, EndsAConnectionThatHasServedItsRequests) {
  Http2Fixture f;
  f.options.requests_per_connection = 2;
  f.talk([&](Client& client) {
    if (f.ids.empty()) {
      for (int i = 0; i < 2; ++i) f.ids.push_back(client.ask({}));
      f.later = [&] {
        f.ids.push_back(client.ask({}));
        f.later = [&] { f.advance(Duration{500} + 2 * kTick); };
      };
    }
    return false;
  });
  EXPECT_TRUE(f.was_ended);
  ASSERT_FALSE(f.client.goaways().empty());
  EXPECT_EQ(f.client.goaways()[0].last, 0x7fffffff);
  // nghttp2's client does not tell of a second one where nothing is open.
  EXPECT_TRUE(f.heard.ends_with(test::frame(7, 0, 0, test::big_endian(5, 4) + test::big_endian(0, 4))));
  EXPECT_TRUE(f.is_over(f.ids));
  EXPECT_THAT(f.lines.all, SizeIs(3));
}

}  // namespace
}  // namespace rproxy::downstream
