// A server's session against nghttp2's client.
#include "http2/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session_fixture.h"

namespace rproxy::http2 {
namespace {

using test::Http2Client;
using testing::ElementsAre;
using testing::IsEmpty;

// Text in which a lost or doubled part shows.
std::string text(std::size_t size) {
  std::string result;
  for (int line = 0; result.size() < size; ++line) result += "line " + std::to_string(line) + "\n";
  result.resize(size);
  return result;
}

// Requests of all kinds, as the client sends them without waiting.
std::string conversation() {
  Http2Client client;
  std::string said = client.take();
  client.ask({"GET", "/a"});
  client.ask({"POST", "/b", {{"content-length", "9"}}, "some text"});
  client.ask({"PUT", "/c", {{"cookie", "a"}, {"cookie", "b"}}, text(300), true, {{"x-sum", "1"}, {"host", "no"}}});
  said += client.take();
  const auto unfinished = client.ask({"POST", "/d", {}, "begun", false});
  client.ask({"POST", "/e", {}, ""});
  said += client.take();
  client.reset(unfinished);
  client.ask_raw({{":method", "GET"}, {":scheme", "http"}, {":authority", "a"}, {":path", "/bad"}, {"UPPER", "x"}});
  client.ask_raw({{":method", "GET"}, {":scheme", "http"}, {":path", "nothing"}});
  said += client.take();
  return said + test::frame(8, 0, 0, test::big_endian(1000, 4)) + test::frame(6, 0, 0, "12345678");
}

TEST(Session, TellsItsStreamsTheSameHoweverBytesAreSplit) {
  const std::string said = conversation();
  NotedServer whole;
  EXPECT_TRUE(whole.session.feed(said, whole.now));
  const std::string answered = whole.drain();
  const auto notes = whole.notes();
  ASSERT_EQ(notes.size(), 7U);
  EXPECT_THAT(notes[0], ElementsAre("GET /a end"));
  EXPECT_THAT(notes[1], ElementsAre("POST /b", "content some text", "end"));
  EXPECT_THAT(notes[2], ElementsAre("PUT /c", "content " + text(300), "trailers x-sum=1"));
  EXPECT_THAT(notes[3], ElementsAre("POST /d", "content begun", "closed 8"));
  EXPECT_THAT(notes[4], ElementsAre("POST /e", "end"));
  EXPECT_THAT(notes[5], ElementsAre("GET /bad end"));
  EXPECT_THAT(notes[6], ElementsAre("closed 1"));

  NotedServer dripped;
  for (const char& byte : said) EXPECT_TRUE(dripped.session.feed({&byte, 1}, dripped.now));
  EXPECT_EQ(dripped.drain(), answered);
  EXPECT_EQ(dripped.notes(), notes);
  for (std::size_t at = 0; at <= said.size(); ++at) {
    NotedServer split;
    split.session.feed(std::string_view(said).substr(0, at), split.now);
    split.session.feed(std::string_view(said).substr(at), split.now);
    EXPECT_EQ(split.drain(), answered) << at;
    EXPECT_EQ(split.notes(), notes) << at;
    if (HasFailure()) break;
  }
}

// Nor is a frame answered otherwise that nghttp2 has a complaint about before all is there that we look at.
TEST(Session, RefusesAFrameTheSameHoweverItsHeadIsSplit) {
  for (const std::uint8_t type : {2, 16}) {
    const std::string said = std::string(test::kHttp2Preface) + test::frame(type, 0, 0, std::string(20000, '\2'));
    NotedServer whole;
    whole.session.feed(said, whole.now);
    const std::string answered = whole.drain();
    for (std::size_t at = test::kHttp2Preface.size(); at <= test::kHttp2Preface.size() + 13; ++at) {
      NotedServer split;
      split.session.feed(std::string_view(said).substr(0, at), split.now);
      split.session.feed(std::string_view(said).substr(at), split.now);
      EXPECT_EQ(split.drain(), answered) << at;
    }
  }
}

// Three answers of several slices, the last with trailers or empty, through buffers of one size.
void answer_three(std::size_t capacity, Http2Client& client) {
  NotedServer server;
  for (const char* path : {"/a", "/b", "/c"}) client.ask({"GET", path});
  server.talk(client, capacity);
  ASSERT_EQ(server.streams.size(), 3U);
  http::Fields trailers;
  trailers.add("X-Sum", "1");
  const std::string content = text(3000);
  std::size_t given[3] = {0, 0, 0};
  const std::size_t steps[3] = {1100, 3000, 700};
  for (const auto& stream : server.streams) server.respond(*stream);
  for (bool busy = true; busy;) {
    busy = false;
    for (std::size_t i = 0; i < 3; ++i) {
      Noted& stream = *server.streams[i];
      if (stream.id == 0 || stream.has_out || stream.out_is_last) continue;
      busy = true;
      const auto slice = std::string_view(content).substr(given[i], steps[i]);
      given[i] += slice.size();
      // The second's end comes as an empty slice of its own.
      const bool last = i == 1 ? slice.empty() : given[i] == content.size();
      server.offer(stream, slice, last, i == 2 && last ? &trailers : nullptr);
    }
    server.talk(client, capacity);
  }
  EXPECT_EQ(server.session.open_streams(), 0U);
  for (const auto& stream : server.streams) {
    EXPECT_TRUE(stream->sent_last);
    EXPECT_EQ(stream->notes.back(), "closed 0");
  }
}

TEST(Session, GivesTheSameContentThroughBuffersOfAnySize) {
  const std::string content = text(3000);
  for (std::size_t capacity = Session::kRoomMin; capacity < 4200; capacity += capacity < 1100 ? 1 : 53) {
    Http2Client client;
    answer_three(capacity, client);
    EXPECT_EQ(client.error(), 0);
    for (const std::int32_t id : {1, 3, 5}) {
      const auto& answer = client.answer(id);
      EXPECT_EQ(answer.status(), "200");
      EXPECT_EQ(answer.body, content);
      EXPECT_TRUE(answer.whole);
      EXPECT_EQ(answer.closed, 0U);
      EXPECT_EQ(test::value_of(answer.trailers, "x-sum"), id == 5 ? "1" : "");
    }
    if (HasFailure()) FAIL() << capacity;
  }
}

// A head that is longer than what is sent at once.
TEST(Session, CutsAHeadThatDoesNotFit) {
  for (std::size_t capacity = Session::kRoomMin; capacity < 9000; capacity += 97) {
    NotedServer server;
    Http2Client client;
    const auto id = client.ask({});
    server.talk(client);
    http::ResponseHead head;
    const std::string long_value = text(8000);
    std::string value = long_value;
    for (char& c : value) c = c == '\n' ? '.' : c;
    head.fields.add("X-Long", value);
    server.session.respond(*server.streams[0], head, {http::BodyLength::Kind::kFixed, 4}, true);
    server.offer(*server.streams[0], "body", true);
    server.talk(client, capacity);
    EXPECT_EQ(test::value_of(client.answer(id).head, "x-long"), value) << capacity;
    EXPECT_EQ(client.answer(id).body, "body") << capacity;
    EXPECT_EQ(client.error(), 0);
  }
}

// RFC 9113 5.1: the client has not heard yet of the refusal, which is still to be sent.
TEST(Session, IgnoresTheContentOfAStreamThatItHasRefused) {
  Options options;
  options.max_streams = 1;
  NotedServer server(options);
  server.session.feed(test::client_start() + test::frame(1, 4, 1, test::request_lines("POST")) +
                          test::frame(1, 4, 3, test::request_lines("POST")) +
                          test::frame(3, 0, 1, test::big_endian(NGHTTP2_CANCEL, 4)) +
                          test::frame(1, 4, 5, test::request_lines("POST")) + test::frame(0, 1, 3, "content") +
                          test::frame(0, 1, 5, "content"),
                      server.now);
  ASSERT_EQ(server.streams.size(), 2U);
  EXPECT_THAT(server.streams[1]->notes, ElementsAre("POST /", "content content", "end"));
}

// The other side's limits may be wider.
TEST(Session, SendsAHeadThatItWouldNotTake) {
  http::HeadLimits narrow;
  narrow.head = 1_KiB;
  NotedServer server({}, narrow);
  Http2Client client;
  const auto id = client.ask({});
  server.talk(client);
  http::ResponseHead head;
  const std::string line(1000, 'x');
  for (int i = 0; i < 100; ++i) head.fields.add("X-Long", line);
  server.session.respond(*server.streams[0], head, {}, false);
  server.talk(client);
  EXPECT_EQ(client.answer(id).head.size(), 101U);
  EXPECT_EQ(client.answer(id).closed, 0U);
}

TEST(Session, WaitsForContentAndGoesOn) {
  NotedServer server;
  Http2Client client;
  const auto id = client.ask({});
  server.talk(client);
  Noted& stream = *server.streams[0];
  server.respond(stream);
  server.talk(client);
  EXPECT_EQ(client.answer(id).status(), "200");
  EXPECT_FALSE(server.session.wants_to_send());
  for (const char* part : {"a", "bc", "def"}) {
    server.offer(stream, part, false);
    server.talk(client);
    EXPECT_TRUE(stream.taken);
    EXPECT_FALSE(stream.has_out);
    EXPECT_FALSE(client.answer(id).whole);
  }
  server.offer(stream, "", true);
  server.talk(client);
  EXPECT_EQ(client.answer(id).body, "abcdef");
  EXPECT_TRUE(client.answer(id).whole);
}

TEST(Session, SendsNoMoreThanTheWindowsAllow) {
  NotedServer server;
  Http2Client client(1000, false);
  const auto id = client.ask({});
  server.talk(client);
  const std::string content = text(5000);
  Noted& stream = *server.streams[0];
  server.respond(stream);
  server.offer(stream, content, true);
  server.talk(client);
  EXPECT_EQ(client.answer(id).body.size(), 1000U);
  EXPECT_FALSE(stream.taken);
  client.use_up(id, 1000);
  server.talk(client);
  EXPECT_EQ(client.answer(id).body.size(), 2000U);
  for (int i = 0; i < 3; ++i) {
    client.use_up(id, 1000);
    server.talk(client);
  }
  EXPECT_EQ(client.answer(id).body, content);
  EXPECT_TRUE(stream.taken);
}

// RFC 9113 6.9: what is not used up is not asked for; one stream's does not stall another.
TEST(Session, AsksForMoreAsContentIsUsedUp) {
  Options options;
  options.stream_window = 32_KiB;
  options.connection_window = 64_KiB;
  NotedServer server(options);
  Http2Client client;
  server.talk(client);
  const std::string content = text(200'000);
  client.ask({"POST", "/slow", {}, content});
  client.ask({"POST", "/other", {}, content});
  server.talk(client);
  Noted& slow = *server.streams[0];
  Noted& other = *server.streams[1];
  EXPECT_EQ(slow.content_size, 32U * 1024);
  EXPECT_EQ(other.content_size, 32U * 1024);
  for (std::size_t used = 0; used < content.size();) {
    const std::size_t more = other.content_size - used;
    ASSERT_GT(more, 0U);
    server.session.consumed(other, more);
    used += more;
    server.talk(client);
    EXPECT_LE(other.content_size - used, 32U * 1024);
  }
  EXPECT_THAT(other.notes, ElementsAre("POST /other", "content " + content, "end"));
  EXPECT_EQ(slow.content_size, 32U * 1024);
  // Less than half a window is not worth a frame.
  server.session.consumed(slow, 1);
  server.talk(client);
  EXPECT_EQ(slow.content_size, 32U * 1024);
}

// What nobody reads of streams that are gone is not lost to the connection's window.
TEST(Session, GivesBackTheWindowOfStreamsThatAreGone) {
  Options options;
  options.connection_window = 64_KiB;
  NotedServer server(options);
  Http2Client client;
  server.talk(client);
  for (int i = 0; i < 20; ++i) {
    client.ask({"POST", "/", {}, text(20'000)});
    server.talk(client);
    server.session.detach(*server.streams.back(), ErrorWord::kCancel);
    server.talk(client);
  }
  const auto id = client.ask({"POST", "/", {}, text(20'000)});
  server.talk(client);
  EXPECT_EQ(server.streams.back()->content_size, 20'000U);
  EXPECT_FALSE(client.answer(id).closed);
}

TEST(Session, TellsInterimAnswersAndThenTheFinalOne) {
  NotedServer server;
  Http2Client client;
  const auto id = client.ask({});
  server.talk(client);
  http::ResponseHead hints;
  hints.status = 103;
  hints.fields.add("Link", "</x>");
  hints.fields.add("Connection", "close");
  server.session.respond_interim(*server.streams[0], hints);
  server.session.respond_interim(*server.streams[0], hints);
  server.respond(*server.streams[0], 204, false);
  server.talk(client);
  const auto& answer = client.answer(id);
  ASSERT_EQ(answer.interim.size(), 2U);
  EXPECT_THAT(answer.interim[0], ElementsAre(testing::Pair(":status", "103"), testing::Pair("link", "</x>")));
  EXPECT_EQ(answer.status(), "204");
  EXPECT_TRUE(answer.whole);
}

// RFC 9113 8.2.2.
TEST(Session, LeavesOutWhatIsOfOneConnection) {
  NotedServer server;
  Http2Client client;
  const auto id = client.ask({});
  server.talk(client);
  http::ResponseHead head;
  for (const char* name : {"Connection", "Keep-Alive", "Proxy-Connection", "Transfer-Encoding", "Upgrade", "TE", "Host",
                           "Content-Length", "HTTP2-Settings"}) {
    head.fields.add(name, "7");
  }
  head.fields.add("X-Kept", "v");
  server.session.respond(*server.streams[0], head, {http::BodyLength::Kind::kFixed, 12}, true);
  server.offer(*server.streams[0], "twelve bytes", true);
  server.talk(client);
  EXPECT_EQ(client.error(), 0);
  EXPECT_THAT(client.answer(id).head, ElementsAre(testing::Pair(":status", "200"), testing::Pair("x-kept", "v"),
                                                  testing::Pair("content-length", "12")));
}

TEST(Session, CountsTheFramesOfEachStream) {
  NotedServer server;
  Http2Client client;
  const std::string start = client.take();
  client.ask({"POST", "/", {}, "hello"});
  const std::string request = client.take();
  server.session.feed(start, server.now);
  const std::string settings = server.drain();
  server.session.feed(request, server.now);
  EXPECT_EQ(server.streams[0]->bytes_received, request.size());
  server.respond(*server.streams[0]);
  server.offer(*server.streams[0], "hello", true);
  EXPECT_EQ(server.drain().size(), server.streams[0]->bytes_sent);
}

TEST(Session, RefusesMoreStreamsThanItOffered) {
  Options options;
  options.max_streams = 2;
  NotedServer server(options);
  Http2Client client;
  std::string said = client.take();
  for (int i = 0; i < 3; ++i) client.ask({});
  said += client.take();  // before the server has said how many
  server.session.feed(said, server.now);
  client.receive(server.drain());
  EXPECT_EQ(server.streams.size(), 2U);
  EXPECT_EQ(client.answer(5).was_reset, static_cast<std::uint32_t>(NGHTTP2_REFUSED_STREAM));
}

}  // namespace
}  // namespace rproxy::http2
