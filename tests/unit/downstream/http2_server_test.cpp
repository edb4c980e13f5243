// Streams of one client connection, each with its own exchange.
#include "downstream/http2_server.h"

#include "http2_fixture.h"

namespace rproxy::downstream {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using Client = test::Http2Client;

TEST(Http2Server, AnswersStreamsAtOnce) {
  Http2Fixture f;
  f.ask({{"GET", "/"}, {"GET", "/pieces"}, {"POST", "/echo", {}, "ping"}, {"GET", "/hints"}});
  EXPECT_EQ(f.client.answer(1).body, "hello");
  EXPECT_EQ(test::value_of(f.client.answer(1).head, "content-length"), "5");
  EXPECT_NE(test::value_of(f.client.answer(1).head, "date"), "");
  EXPECT_EQ(f.client.answer(3).body, "one two three");
  EXPECT_THAT(f.client.answer(3).trailers, ElementsAre(testing::Pair("x-sum", "3")));
  EXPECT_EQ(f.client.answer(5).body, "ping");
  ASSERT_THAT(f.client.answer(7).interim, SizeIs(1));
  EXPECT_EQ(test::value_of(f.client.answer(7).interim[0], "link"), "</x>");
  EXPECT_EQ(f.client.answer(7).body, "hello");
  ASSERT_THAT(f.lines.all, SizeIs(4));
  for (const Told& line : f.lines.all) EXPECT_EQ(line.termination, "ok") << line.path;
  EXPECT_EQ(f.service.alive, 0);
}

// RFC 9110 8.6, 6.4.1.
TEST(Http2Server, SendsNoContentWhereThereIsNone) {
  Http2Fixture f;
  f.ask({{"HEAD", "/"}, {"GET", "/204"}, {"GET", "/304"}, {"HEAD", "/pieces"}});
  const char* const lengths[] = {"5", "", "5", ""};
  const char* const statuses[] = {"200", "204", "304", "200"};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& answer = f.client.answer(f.ids[i]);
    EXPECT_EQ(answer.status(), statuses[i]);
    EXPECT_EQ(test::value_of(answer.head, "content-length"), lengths[i]) << i;
    EXPECT_EQ(answer.body, "");
    EXPECT_TRUE(answer.whole);
  }
  EXPECT_EQ(f.client.error(), 0);
  EXPECT_THAT(f.lines.all, SizeIs(4));
}

// One that nobody answers, and one whose content nobody takes, keep no other waiting.
TEST(Http2Server, LetsNoStreamStallAnother) {
  Http2Fixture f;
  Client lazy(65535, false);
  std::vector<std::int32_t> rest;
  bool asked = false;
  f.talk([&](Client& client) {
    if (!std::exchange(asked, true)) {
      client.ask({"GET", "/slow"});
      client.ask({"POST", "/slow", {}, std::string(300'000, 'x')});
      for (int i = 0; i < 20; ++i) rest.push_back(client.ask({"POST", "/echo", {}, std::string(50'000, 'y')}));
    }
    return f.is_over(rest);
  });
  for (const std::int32_t id : rest) EXPECT_EQ(f.client.answer(id).body.size(), 50'000U);
  EXPECT_EQ(f.service.alive, 0);
  EXPECT_THAT(f.lines.all, SizeIs(22));
}

TEST(Http2Server, HoldsBackWhatTheClientDoesNotTake) {
  Http2Fixture f;
  Client& client = f.client;
  std::size_t most = 0;
  bool asked = false;
  nghttp2_session_set_local_window_size(client.session(), 0, 0, 1 << 20);
  f.talk([&](Client& each) {
    if (!std::exchange(asked, true)) {
      f.ids = {each.ask({"GET", "/large"}), each.ask({"GET", "/large"})};
    }
    most = std::max(most, each.answer(f.ids[0]).body.size());
    return f.is_over(f.ids);
  });
  for (const std::int32_t id : f.ids) EXPECT_EQ(client.answer(id).body, std::string(1'000'000, 'x'));
  EXPECT_EQ(client.error(), 0);
}

TEST(Http2Server, EndsTheTaskOfAStreamThatIsGivenUp) {
  for (const char* path : {"/slow", "/stuck"}) {
    Http2Fixture f;
    std::int32_t held = 0;
    std::int32_t next = 0;
    f.talk([&](Client& client) {
      if (held == 0) {
        held = client.ask({"GET", path});
      } else if (next == 0 && f.service.alive == 1) {
        client.reset(held);
        next = client.ask({});
      }
      if (next == 0 || !client.answer(next).closed) return false;
      EXPECT_EQ(f.service.alive, 0);
      EXPECT_THAT(f.lines.all, SizeIs(2));
      return true;
    });
    EXPECT_EQ(f.lines.all.at(0).termination, "client_closed");
    EXPECT_EQ(f.lines.all.at(0).status, std::string(path) == "/slow" ? 499 : 200);
  }
}

// What is given up in the same breath is not even begun.
TEST(Http2Server, BeginsNothingThatIsGivenUpAlready) {
  Http2Fixture f;
  std::int32_t next = 0;
  f.talk([&](Client& client) {
    if (next == 0) {
      f.raw = client.take();
      const auto first = client.ask({"GET", "/slow"});
      f.raw += client.take();
      client.reset(first);
      f.raw += client.take();
      next = client.ask({});
    }
    return client.answer(next).closed.has_value();
  });
  EXPECT_EQ(f.service.asked, 1);
  ASSERT_THAT(f.lines.all, SizeIs(2));
  EXPECT_EQ(f.lines.all[0].status, 499);
}

TEST(Http2Server, EndsAllWhenTheClientGoes) {
  Http2Fixture f;
  int rounds = 0;
  f.talk([&](Client& client) {
    if (rounds++ == 0) {
      for (const char* path : {"/slow", "/stuck", "/slow"}) client.ask({"GET", path});
    }
    return f.service.alive == 3;
  });
  EXPECT_EQ(f.service.alive, 0);
  ASSERT_THAT(f.lines.all, SizeIs(3));
  for (const Told& line : f.lines.all) EXPECT_EQ(line.termination, "client_closed");
}

TEST(Http2Server, MayBeCancelledWithAllItsStreams) {
  Http2Fixture f;
  auto [near, far] = f.loop.connected();
  auto server = std::make_unique<net::Child<void>>(serve_http2(std::move(far), {}, f.context));
  bool asked = false;
  f.loop.run(f.converse(std::move(near), [&](Client& client) {
    if (!std::exchange(asked, true)) {
      for (const char* path : {"/slow", "/stuck", "/large"}) client.ask({"GET", path});
    }
    if (f.service.alive >= 3) server.reset();
    return false;
  }));
  EXPECT_TRUE(f.was_ended);
  EXPECT_EQ(f.service.alive, 0);
  EXPECT_THAT(f.lines.all, SizeIs(3));
}

TEST(Http2Server, MissesNoContentThatComesBetweenAskingAndWaiting) {
  Http2Fixture f;
  std::int32_t id = 0;
  f.talk([&](Client& client) {
    if (id == 0) {
      id = client.ask({"POST", "/late", {}, "", false});
      f.later = [&] {
        client.say(id, "content");
        client.finish(id);
      };
    }
    return client.answer(id).closed.has_value();
  });
  EXPECT_EQ(f.service.heard, "content");
  EXPECT_EQ(f.client.answer(id).status(), "200");
}

// RFC 9110 10.1.1.
TEST(Http2Server, AsksForContentThatIsHeldBack) {
  Http2Fixture f;
  std::int32_t id = 0;
  bool said = false;
  f.talk([&](Client& client) {
    if (id == 0) id = client.ask({"POST", "/echo", {{"expect", "100-continue"}}, "", false});
    if (!client.answer(id).interim.empty() && !std::exchange(said, true)) {
      client.say(id, "content");
      client.finish(id);
    }
    return client.answer(id).closed.has_value();
  });
  ASSERT_THAT(f.client.answer(id).interim, SizeIs(1));
  EXPECT_EQ(test::value_of(f.client.answer(id).interim[0], ":status"), "100");
  EXPECT_EQ(f.client.answer(id).body, "content");
}

TEST(Http2Server, DoesNotAskForContentThatNobodyReads) {
  Http2Fixture f;
  std::int32_t id = 0;
  f.talk([&](Client& client) {
    if (id == 0) id = client.ask({"POST", "/403", {{"expect", "100-continue"}}, "", false});
    return client.answer(id).closed.has_value();
  });
  EXPECT_THAT(f.client.answer(id).interim, IsEmpty());
  EXPECT_EQ(f.client.answer(id).status(), "403");
  EXPECT_TRUE(f.client.answer(id).whole);
  EXPECT_EQ(f.client.answer(id).was_reset, 0U);
  ASSERT_THAT(f.lines.all, SizeIs(1));
  EXPECT_EQ(f.lines.all[0].termination, "ok");
}

TEST(Http2Server, TellsHowEachExchangeEnded) {
  struct Case {
    Client::Request request;
    const char* status;  // empty: none
    int told;
    const char* termination;
  };
  const test::Lines long_line{{"x", std::string(40'000, 'x')}};
  const Case cases[] = {
      {{"GET", "/"}, "200", 200, "ok"},
      {{"GET", "/fail"}, "502", 502, "upstream_refused"},
      {{"GET", "/broken"}, "200", 200, "upstream_truncated"},
      {{"GET", "/" + std::string(10'000, 'x')}, "414", 414, "client_bad_request"},
      {{"GET", "/", long_line}, "431", 431, "client_bad_request"},
      {{"CONNECT", "/"}, "", 400, "client_bad_request"},
      {{"GET", "/", {{"host", "other"}}}, "400", 400, "client_bad_request"},
      {{"POST", "/echo", {{"expect", "more"}}, "x"}, "417", 417, "client_bad_request"},
      {{"POST", "/echo", {{"content-length", "2000"}}, std::string(2000, 'x')}, "413", 413, "client_body_too_large"},
      {{"POST", "/echo", {}, std::string(2000, 'x')}, "413", 413, "client_body_too_large"},
      {{"CONNECT", "/chat", {}, {}, true, {}, "sim", "connect-udp"}, "501", 501, "client_bad_request"},
      {{"GET", "/", {{"bad name", "x"}}}, "", 400, "client_bad_request"},
  };
  for (const Case& each : cases) {
    SCOPED_TRACE(each.request.method + " " + each.request.path.substr(0, 20));
    Http2Fixture f;
    f.options.max_body.bytes = 1000;
    f.ask({each.request});
    const auto& answer = f.client.answer(f.ids.at(0));
    EXPECT_EQ(answer.status(), each.status);
    ASSERT_THAT(f.lines.all, SizeIs(1));
    const Told& line = f.lines.all[0];
    EXPECT_EQ(line.status, each.told);
    EXPECT_EQ(line.termination, each.termination);
    EXPECT_TRUE(line.has_time);
    EXPECT_EQ(line.body_sent, answer.body.size());
    // What was cut short looks so.
    EXPECT_EQ(answer.whole, std::string(each.termination) != "upstream_truncated" && *each.status != '\0');
    EXPECT_THAT(f.client.goaways(), IsEmpty());
  }
}

// Half a head when the client goes is told of like any request.
TEST(Http2Server, TellsOfARequestThatNeverCame) {
  Http2Fixture f;
  f.talk([&](Client& client) {
    if (f.ids.empty()) {
      f.raw = client.take() + test::frame(1, 1, 1, test::request_lines().substr(0, 10));
      f.ids.push_back(client.ask({}));
      (void)client.take();
      return false;
    }
    return true;
  });
  ASSERT_THAT(f.lines.all, SizeIs(1));
  EXPECT_EQ(f.lines.all[0].status, 400);
  EXPECT_EQ(f.lines.all[0].termination, "client_closed");
  EXPECT_TRUE(f.lines.all[0].has_time);
}

// ---- WebSockets (RFC 8441).

Client::Request chat(const char* path = "/chat") {
  return {"CONNECT", path, {{"sec-websocket-version", "13"}}, "ping", false, {}, "sim", "websocket"};
}

TEST(Http2Server, CarriesATunnelToItsOrderlyEnd) {
  Http2Fixture f;
  std::int32_t id = 0;
  int said = 0;
  f.talk([&](Client& client) {
    if (id == 0) id = client.ask(chat());
    if (said == 0 && client.answer(id).body == "ping") {
      ++said;
      client.say(id, std::string(20'000, 'y'));
    } else if (said == 1 && client.answer(id).body.size() == 20'004) {
      ++said;
      client.finish(id);
    }
    return client.answer(id).closed.has_value();
  });
  const auto& answer = f.client.answer(id);
  EXPECT_EQ(answer.status(), "200");
  EXPECT_EQ(test::value_of(answer.head, "sec-websocket-accept"), "");
  EXPECT_EQ(answer.body, "ping" + std::string(20'000, 'y'));
  EXPECT_TRUE(answer.whole);
  EXPECT_FALSE(answer.was_reset);
  EXPECT_EQ(answer.closed, 0U);
  ASSERT_THAT(f.lines.all, SizeIs(1));
  EXPECT_EQ(f.lines.all[0].status, 200);
  EXPECT_EQ(f.lines.all[0].termination, "ok");
  EXPECT_EQ(f.lines.all[0].body_sent, 20'004U);
}

TEST(Http2Server, OpensNoTunnelWithoutProof) {
  Http2Fixture f;
  f.ask({chat("/no-proof")});
  EXPECT_EQ(f.client.answer(f.ids[0]).status(), "502");
  ASSERT_THAT(f.lines.all, SizeIs(1));
  EXPECT_EQ(f.lines.all[0].termination, "upstream_bad_response");
}

TEST(Http2Server, EndsATunnelThatIsGivenUp) {
  Http2Fixture f;
  std::int32_t id = 0;
  std::int32_t next = 0;
  f.talk([&](Client& client) {
    if (id == 0) id = client.ask(chat());
    if (next == 0 && client.answer(id).body == "ping") {
      client.reset(id);
      next = client.ask({});
    }
    return next != 0 && client.answer(next).closed;
  });
  EXPECT_THAT(f.lines.all, SizeIs(2));
}

}  // namespace
}  // namespace rproxy::downstream
