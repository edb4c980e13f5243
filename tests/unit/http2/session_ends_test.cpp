// How streams and connections of a server's session end, in order or not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session_fixture.h"

namespace rproxy::http2 {
namespace {

using test::frame;
using test::Http2Client;

std::uint32_t word(ErrorWord error) { return static_cast<std::uint32_t>(error); }

// One that a client has asked for, up to a point.
struct Asked {
  explicit Asked(bool whole = true) {
    id = client.ask({"POST", "/", {}, "content", whole});
    server.talk(client);
    stream = server.streams.at(0).get();
  }
  // The owner goes, and its memory with it.
  void drop(ErrorWord error) {
    server.session.detach(*stream, error);
    server.streams.clear();
    out.reset();
  }
  void offer(std::size_t size) {
    out = std::make_unique<std::string>(size, 'x');
    server.offer(*stream, *out, true);
  }
  // The connection is as good as before.
  void check_next() {
    const auto next = client.ask({});
    server.talk(client);
    ASSERT_FALSE(server.streams.empty());
    server.respond(*server.streams.back(), 204, false);
    server.talk(client);
    EXPECT_EQ(client.answer(next).status(), "204");
    EXPECT_EQ(client.error(), 0);
    EXPECT_EQ(server.session.abuse(), "");
    EXPECT_EQ(server.session.open_streams(), 0U);
    EXPECT_THAT(client.goaways(), testing::IsEmpty());
  }

  NotedServer server;
  Http2Client client;
  std::int32_t id = 0;
  Noted* stream = nullptr;
  std::unique_ptr<std::string> out;
};

TEST(SessionEnds, AStreamMayBeGivenUpBeforeItsAnswer) {
  Asked f;
  f.drop(ErrorWord::kInternalError);
  EXPECT_EQ(f.server.session.open_streams(), 0U);
  f.server.talk(f.client);
  EXPECT_EQ(f.client.answer(f.id).was_reset, word(ErrorWord::kInternalError));
  f.check_next();
}

TEST(SessionEnds, AStreamMayBeGivenUpBeforeItsHeadIsSent) {
  Asked f;
  f.server.respond(*f.stream);
  f.offer(5000);
  f.drop(ErrorWord::kCancel);
  f.server.talk(f.client);
  EXPECT_EQ(f.client.answer(f.id).was_reset, word(ErrorWord::kCancel));
  EXPECT_EQ(f.client.answer(f.id).body, "");
  f.check_next();
}

TEST(SessionEnds, AStreamMayBeGivenUpWhileItsContentWaits) {
  Asked f;
  f.server.respond(*f.stream);
  f.server.talk(f.client);
  f.drop(ErrorWord::kInternalError);
  f.server.talk(f.client);
  EXPECT_EQ(f.client.answer(f.id).status(), "200");
  EXPECT_EQ(f.client.answer(f.id).was_reset, word(ErrorWord::kInternalError));
  f.check_next();
}

// A frame that has been made and does not fit any more is kept back; its content is not there any longer when it would go.
template <typename Action>
void while_a_frame_is_kept_back(Action action) {
  for (std::size_t capacity = Session::kRoomMin; capacity < Session::kRoomMin + 400; ++capacity) {
    SCOPED_TRACE(capacity);
    Asked f;
    f.server.respond(*f.stream);
    f.offer(100'000);
    f.client.receive(f.server.drain_once(capacity));
    ASSERT_TRUE(f.server.session.wants_to_send());
    action(f);
    f.check_next();
    if (testing::Test::HasFailure()) break;
  }
}

TEST(SessionEnds, AStreamMayBeGivenUpWhileAFrameIsKeptBack) {
  while_a_frame_is_kept_back([](Asked& f) {
    f.drop(ErrorWord::kInternalError);
    f.server.talk(f.client);
    EXPECT_EQ(f.client.answer(f.id).was_reset, word(ErrorWord::kInternalError));
  });
}

TEST(SessionEnds, AStreamMayBeResetWhileAFrameIsKeptBack) {
  while_a_frame_is_kept_back([](Asked& f) {
    f.server.session.reset(*f.stream, ErrorWord::kCancel);
    f.server.talk(f.client);
    EXPECT_EQ(f.stream->id, 0);
    EXPECT_TRUE(f.client.answer(f.id).was_reset);
  });
}

TEST(SessionEnds, AClientMayGiveUpWhileAFrameIsKeptBack) {
  while_a_frame_is_kept_back([](Asked& f) {
    f.client.reset(f.id);
    f.server.session.feed(f.client.take(), f.server.now);
    EXPECT_EQ(f.stream->notes.back(), "closed 8");
    f.server.streams.clear();
    f.out.reset();
    f.server.talk(f.client);
  });
}

TEST(SessionEnds, ContentMayBeTakenBackWhileAFrameIsKeptBack) {
  while_a_frame_is_kept_back([](Asked& f) {
    f.stream->out = {};
    f.stream->has_out = false;
    f.out.reset();
    f.client.receive(f.server.drain());
    f.drop(ErrorWord::kInternalError);
    f.server.talk(f.client);
    EXPECT_EQ(f.client.answer(f.id).was_reset, word(ErrorWord::kInternalError));
  });
}

// RFC 9113 8.1: the answer is whole, and the rest of the request is not wanted.
TEST(SessionEnds, AnAnswerMayBeOverBeforeItsRequest) {
  Asked f(false);
  f.server.respond(*f.stream);
  f.offer(10);
  f.server.talk(f.client);
  EXPECT_TRUE(f.stream->sent_last);
  EXPECT_EQ(f.server.session.open_streams(), 1U);
  f.drop(ErrorWord::kNoError);
  f.server.talk(f.client);
  EXPECT_TRUE(f.client.answer(f.id).whole);
  EXPECT_EQ(f.client.answer(f.id).body.size(), 10U);
  EXPECT_EQ(f.client.answer(f.id).was_reset, word(ErrorWord::kNoError));
  f.check_next();
}

TEST(SessionEnds, GivingUpWhatIsOverDoesNothing) {
  Asked f;
  f.server.respond(*f.stream);
  f.offer(10);
  f.server.talk(f.client);
  EXPECT_EQ(f.stream->notes.back(), "closed 0");
  f.drop(ErrorWord::kInternalError);
  EXPECT_FALSE(f.server.session.wants_to_send());
  f.check_next();
}

TEST(SessionEnds, WhatIsSaidOfAClosedStreamIsIgnored) {
  Asked f;
  f.client.reset(f.id);
  f.server.talk(f.client);
  Noted& gone = *f.stream;
  EXPECT_EQ(gone.id, 0);
  f.server.respond(gone);
  f.server.session.respond_interim(gone, {});
  f.server.session.resume(gone);
  f.server.session.consumed(gone, 7);
  f.server.session.reset(gone, ErrorWord::kCancel);
  f.server.session.detach(gone, ErrorWord::kCancel);
  EXPECT_FALSE(f.server.session.wants_to_send());
  f.check_next();
}

// ---- Header sections that are no message.

struct Malformed {
  const char* name;
  std::string lines;
};

// nghttp2 refuses these; only that stream ends, and nobody waits for the rest of a section that is over.
TEST(SessionEnds, AMalformedHeadEndsItsStreamOnly) {
  using test::field_line;
  const std::string good = test::request_lines();
  const Malformed cases[] = {
      {"no method", field_line(":scheme", "http") + field_line(":authority", "a") + field_line(":path", "/")},
      {"no scheme", field_line(":method", "GET") + field_line(":authority", "a") + field_line(":path", "/")},
      {"no path", field_line(":method", "GET") + field_line(":scheme", "http") + field_line(":authority", "a")},
      {"no authority", field_line(":method", "GET") + field_line(":scheme", "http") + field_line(":path", "/")},
      {"two paths", good + field_line(":path", "/x")},
      {"pseudo-header behind a field", field_line("x", "y") + good},
      {"unknown pseudo-header", good + field_line(":x", "y")},
      {"status in a request", good + field_line(":status", "200")},
      {"protocol without CONNECT", good + field_line(":protocol", "websocket")},
      {"upper case", good + field_line("X-Upper", "y")},
      {"space in a name", good + field_line("x y", "z")},
      {"empty name", good + field_line("", "z")},
      {"line end in a value", good + field_line("x", "y\r\nz: w")},
      {"connection", good + field_line("connection", "close")},
      {"transfer-encoding", good + field_line("transfer-encoding", "chunked")},
      {"upgrade", good + field_line("upgrade", "websocket")},
      {"te", good + field_line("te", "gzip")},
      {"content-length without content", good + field_line("content-length", "5")},
      {"content-length that is none", good + field_line("content-length", "+5")},
      {"two content-lengths", good + field_line("content-length", "0") + field_line("content-length", "0")},
  };
  for (const Malformed& each : cases) {
    for (const std::size_t first : {each.lines.size(), std::size_t{3}}) {
      NotedServer server;
      Http2Client client;
      server.talk(client);
      const bool split = first < each.lines.size();
      std::string said = frame(1, split ? 1 : 5, 1, each.lines.substr(0, first));
      if (split) said += frame(9, 4, 1, each.lines.substr(first));
      EXPECT_TRUE(server.session.feed(said, server.now)) << each.name;
      const std::string answered = server.drain();
      // RST_STREAM, PROTOCOL_ERROR.
      EXPECT_EQ(answered, frame(3, 0, 1, test::big_endian(1, 4))) << each.name;
      EXPECT_EQ(server.session.open_header_block(), 0U) << each.name;
      EXPECT_EQ(server.session.open_streams(), 0U) << each.name;
      ASSERT_EQ(server.streams.size(), 1U) << each.name;
      EXPECT_THAT(server.streams[0]->notes, testing::ElementsAre("closed 1")) << each.name;
      // The next request is as good as any.
      server.session.feed(frame(1, 5, 3, test::request_lines()), server.now);
      ASSERT_EQ(server.streams.size(), 2U) << each.name;
      EXPECT_EQ(server.streams[1]->notes.at(0), "GET / end") << each.name;
    }
  }
}

TEST(SessionEnds, ContentOfAnotherLengthThanDeclaredEndsTheStream) {
  using test::field_line;
  for (const char* content : {"more than five", "less"}) {
    NotedServer server;
    Http2Client client;
    server.talk(client);
    server.session.feed(
        frame(1, 4, 1, test::request_lines("POST") + field_line("content-length", "5")) + frame(0, 1, 1, content),
        server.now);
    EXPECT_EQ(server.drain(), frame(3, 0, 1, test::big_endian(1, 4)));
    EXPECT_EQ(server.streams[0]->notes.back(), "closed 1");
  }
}

TEST(SessionEnds, AHeaderSectionIsOpenUntilItsLastLine) {
  NotedServer server;
  Http2Client client;
  server.talk(client);
  const std::string lines = test::request_lines();
  EXPECT_EQ(server.session.open_header_block(), 0U);
  server.session.feed(frame(1, 1, 1, lines.substr(0, 10)), server.now);
  const auto first = server.session.open_header_block();
  EXPECT_NE(first, 0U);
  server.session.feed(frame(9, 0, 1, lines.substr(10, 10)), server.now);
  EXPECT_EQ(server.session.open_header_block(), first);
  server.session.feed(frame(9, 4, 1, lines.substr(20)), server.now);
  EXPECT_EQ(server.session.open_header_block(), 0U);
  server.session.feed(frame(1, 1, 3, lines.substr(0, 10)), server.now);
  EXPECT_NE(server.session.open_header_block(), first);
}

// Trailers that nobody waits for any more.
TEST(SessionEnds, AHeaderSectionOfAStreamGivenUpIsOverToo) {
  NotedServer server;
  Http2Client client;
  server.talk(client);
  server.session.feed(frame(1, 4, 1, test::request_lines("POST")) + frame(1, 1, 1, test::field_line("x-sum", "1")),
                      server.now);
  EXPECT_NE(server.session.open_header_block(), 0U);
  server.session.detach(*server.streams[0], ErrorWord::kCancel);
  server.drain();
  server.session.feed(frame(9, 4, 1, test::field_line("x", "y")), server.now);
  EXPECT_EQ(server.session.open_header_block(), 0U);
}

// ---- Connections.

TEST(SessionEnds, ShuttingDownIsSaidTwiceAndLetsStreamsFinish) {
  Asked f;
  f.server.session.announce_shutdown();
  f.server.talk(f.client);
  ASSERT_EQ(f.client.goaways().size(), 1U);
  EXPECT_EQ(f.client.goaways()[0].last, 0x7fffffff);
  EXPECT_FALSE(f.server.session.is_over());
  f.server.session.shut_down();
  f.server.talk(f.client);
  ASSERT_EQ(f.client.goaways().size(), 2U);
  EXPECT_EQ(f.client.goaways()[1].last, f.id);
  EXPECT_EQ(f.client.goaways()[1].word, word(ErrorWord::kNoError));
  EXPECT_FALSE(f.server.session.is_over());
  f.server.respond(*f.stream);
  f.offer(1000);
  f.server.talk(f.client);
  EXPECT_EQ(f.client.answer(f.id).body.size(), 1000U);
  EXPECT_TRUE(f.client.answer(f.id).whole);
  EXPECT_TRUE(f.server.session.is_over());
}

TEST(SessionEnds, TerminatingSaysWhyAndIsOver) {
  Asked f;
  f.server.session.terminate(ErrorWord::kInternalError);
  EXPECT_FALSE(f.server.session.is_over());
  f.server.talk(f.client);
  ASSERT_EQ(f.client.goaways().size(), 1U);
  EXPECT_EQ(f.client.goaways()[0].word, word(ErrorWord::kInternalError));
  EXPECT_TRUE(f.server.session.is_over());
}

TEST(SessionEnds, AClientThatGoesIsUnderstood) {
  Asked f;
  nghttp2_submit_goaway(f.client.session(), 0, 0, NGHTTP2_NO_ERROR, nullptr, 0);
  f.server.talk(f.client);
  EXPECT_TRUE(f.server.session.is_going_away());
  EXPECT_FALSE(f.server.session.is_over());
  f.server.respond(*f.stream, 204, false);
  f.server.talk(f.client);
  EXPECT_EQ(f.client.answer(f.id).status(), "204");
  EXPECT_TRUE(f.server.session.is_over());
}

// RFC 9113 3.4, in whatever buffers.
TEST(SessionEnds, WhatIsNoHttp2GetsAFarewell) {
  for (const char* said : {"GET / HTTP/1.1\r\n\r\n                      ", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\r"}) {
    NotedServer server;
    EXPECT_FALSE(server.session.feed(said, server.now));
    EXPECT_TRUE(server.session.wants_to_send());
    EXPECT_EQ(server.drain(), frame(7, 0, 0, test::big_endian(0, 4) + test::big_endian(1, 4)));
    EXPECT_TRUE(server.session.is_over());
    EXPECT_FALSE(server.session.feed("more", server.now));
    EXPECT_EQ(server.drain(), "");
  }
}

struct Broken {
  const char* name;
  std::string said;
  std::uint32_t word;
};

// RFC 9113 5.4.1.
TEST(SessionEnds, AConnectionErrorIsNamed) {
  const std::string lines = test::request_lines();
  const Broken cases[] = {
      {"no SETTINGS first", std::string(test::kHttp2Preface) + frame(6, 0, 0, "12345678"), NGHTTP2_PROTOCOL_ERROR},
      {"DATA on stream 0", test::client_start() + frame(0, 0, 0, "x"), NGHTTP2_PROTOCOL_ERROR},
      {"DATA on an idle stream", test::client_start() + frame(0, 0, 1, "x"), NGHTTP2_PROTOCOL_ERROR},
      {"HEADERS on an even stream", test::client_start() + frame(1, 5, 2, lines), NGHTTP2_PROTOCOL_ERROR},
      {"CONTINUATION of nothing", test::client_start() + frame(9, 4, 1, lines), NGHTTP2_PROTOCOL_ERROR},
      {"another frame within a header section",
       test::client_start() + frame(1, 1, 1, lines) + frame(6, 0, 0, "12345678"), NGHTTP2_PROTOCOL_ERROR},
      {"a frame that is too long", test::client_start() + frame(0, 0, 1, std::string(16385, 'x')),
       NGHTTP2_FRAME_SIZE_ERROR},
      {"PING of another size", test::client_start() + frame(6, 0, 0, "123"), NGHTTP2_FRAME_SIZE_ERROR},
      {"no HPACK", test::client_start() + frame(1, 5, 1, "\xff\xff\xff\xff\xff\xff"), NGHTTP2_COMPRESSION_ERROR},
      {"PUSH_PROMISE of a client", test::client_start() + frame(5, 4, 1, test::big_endian(2, 4) + lines),
       NGHTTP2_PROTOCOL_ERROR},
      {"a window beyond all", test::client_start() + frame(8, 0, 0, test::big_endian(0x7fffffff, 4)),
       NGHTTP2_FLOW_CONTROL_ERROR},
  };
  for (const Broken& each : cases) {
    NotedServer server;
    server.session.feed(each.said, server.now);
    const std::string answered = server.drain();
    Http2Client client;
    client.take();
    client.receive(answered);
    ASSERT_EQ(client.goaways().size(), 1U) << each.name;
    EXPECT_EQ(client.goaways()[0].word, each.word) << each.name;
    EXPECT_TRUE(server.session.is_over()) << each.name;
    EXPECT_EQ(server.session.abuse(), "") << each.name;
  }
}

}  // namespace
}  // namespace rproxy::http2
