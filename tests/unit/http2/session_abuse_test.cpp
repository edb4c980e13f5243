// Peers that only cost are told to calm down, and those that work are not.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "session_fixture.h"

namespace rproxy::http2 {
namespace {

using test::big_endian;
using test::frame;

constexpr std::uint32_t kCalm = NGHTTP2_ENHANCE_YOUR_CALM;

std::string times(const std::string& text, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += text;
  return out;
}

Options small() {
  Options options;
  options.abuse = {50, 10, 20, 5};
  return options;
}

// Frames that cost, `count` of them.
using Flood = std::string (*)(int count);

struct Abuse {
  const char* word;
  Flood flood;
  int allowed;  // of them; twice as many are not
};

std::string requests(int count, const std::string& each_end) {
  std::string said;
  for (int i = 0; i < count; ++i) {
    const auto id = static_cast<std::uint32_t>(2 * i + 1);
    said += frame(1, 4, id, test::request_lines()) + each_end;
    // The stream's number is the last thing of the frame's head.
    std::string_view number = "....";
    for (auto at = said.find(number); at != std::string::npos; at = said.find(number)) {
      said.replace(at, 4, big_endian(id, 4));
    }
  }
  return said;
}

// A frame of the request's stream, whose number is not known yet.
std::string same_stream(std::uint8_t type, std::uint8_t flags, const std::string& payload) {
  std::string said = frame(type, flags, 0, payload);
  return said.replace(5, 4, "....");
}

const Abuse kAbuses[] = {
    {"PING frames", [](int n) { return times(frame(6, 0, 0, "12345678"), n); }, 48},
    {"PING frames", [](int n) { return times(frame(6, 1, 0, "12345678"), n); }, 48},
    {"SETTINGS frames", [](int n) { return times(frame(4, 0, 0), n); }, 48},
    {"SETTINGS frames", [](int n) { return times(frame(4, 0, 0, times(big_endian(2, 2) + big_endian(0, 4), 5)), n); },
     8},
    {"priority frames", [](int n) { return times(frame(2, 0, 1, big_endian(0, 4) + "x"), n); }, 48},
    {"WINDOW_UPDATE frames", [](int n) { return times(frame(8, 0, 0, big_endian(1, 4)), n); }, 48},
    {"empty DATA frames", [](int n) { return frame(1, 4, 1, test::request_lines("POST")) + times(frame(0, 0, 1), n); },
     48},
    // Padding is no content.
    {"empty DATA frames",
     [](int n) {
       return frame(1, 4, 1, test::request_lines("POST")) + times(frame(0, 8, 1, std::string("\2\0\0", 3)), n);
     },
     48},
    // CVE-2023-44487.
    {"streams given up as soon as asked for", [](int n) { return requests(n, same_stream(3, 0, big_endian(8, 4))); },
     20},
    // CVE-2025-8671: the server is made to give them up.
    {"streams given up as soon as asked for",
     [](int n) { return requests(n, same_stream(1, 5, test::field_line(":path", "/"))); }, 20},
};

TEST(SessionAbuse, EndsAConnectionThatOnlyCosts) {
  for (const Abuse& each : kAbuses) {
    SCOPED_TRACE(each.word);
    Options options = small();
    options.max_streams = 1000;
    NotedServer patient(options);
    patient.session.feed(test::client_start() + each.flood(each.allowed), patient.now);
    patient.drain();
    EXPECT_EQ(patient.session.abuse(), "");
    EXPECT_FALSE(patient.session.is_over());

    NotedServer server(options);
    std::string answered;
    // As it would be: what is answered leaves between two receives.
    const std::string said = test::client_start() + each.flood(2 * each.allowed + 4);
    for (std::size_t at = 0; at < said.size(); at += 100) {
      server.session.feed(std::string_view(said).substr(at, 100), server.now);
      answered += server.drain();
    }
    EXPECT_EQ(server.session.abuse(), each.word);
    EXPECT_TRUE(server.session.is_over());
    // GOAWAY is the last that is said.
    EXPECT_TRUE(answered.ends_with(big_endian(kCalm, 4)));
  }
}

TEST(SessionAbuse, BearsAsMuchWhenTimeGoesBy) {
  for (const Abuse& each : kAbuses) {
    if (each.allowed < 40) continue;
    NotedServer server(small());
    server.session.feed(test::client_start() + each.flood(1), server.now);
    for (int second = 0; second < 100; ++second) {
      server.now += std::chrono::seconds(1);
      if (std::string_view(each.word) == "PING frames") server.session.feed(each.flood(10), server.now);
      server.drain();
    }
    EXPECT_EQ(server.session.abuse(), "") << each.word;
  }
}

TEST(SessionAbuse, BearsResetsOfClientsThatAlsoTakeAnswers) {
  NotedServer server(small());
  test::Http2Client client;
  for (int i = 0; i < 200; ++i) {
    const auto given_up = client.ask({});
    client.ask({});
    server.talk(client);
    client.reset(given_up);
    server.talk(client);
    server.respond(*server.streams.back(), 204, false);
    server.talk(client);
  }
  EXPECT_EQ(server.session.abuse(), "");
  EXPECT_EQ(client.error(), 0);
}

// One that reads a large answer in small windows sends many frames.
TEST(SessionAbuse, BearsTheFramesThatContentNeeds) {
  NotedServer server(small());
  test::Http2Client client(4096);
  const auto id = client.ask({});
  server.talk(client);
  const std::string content(4'000'000, 'x');
  server.respond(*server.streams[0]);
  server.offer(*server.streams[0], content, true);
  server.talk(client);
  EXPECT_EQ(client.answer(id).body.size(), content.size());
  EXPECT_EQ(server.session.abuse(), "");
}

// CVE-2024-27316; however the bytes come.
TEST(SessionAbuse, NamesSettingsOfTooManyEntries) {
  NotedServer server(Options{});
  server.session.feed(test::client_start() + frame(4, 0, 0, times(big_endian(2, 2) + big_endian(0, 4), 33)),
                      server.now);
  EXPECT_TRUE(server.drain().ends_with(big_endian(kCalm, 4)) || server.session.is_over());
  EXPECT_EQ(server.session.abuse(), "SETTINGS of too many entries");
}

TEST(SessionAbuse, IsNotWhatItsOwnerEndsTheConnectionFor) {
  NotedServer server(Options{});
  server.session.feed(test::client_start(), server.now);
  server.session.terminate(ErrorWord::kEnhanceYourCalm);
  EXPECT_TRUE(server.drain().ends_with(big_endian(kCalm, 4)));
  EXPECT_EQ(server.session.abuse(), "");
}

TEST(SessionAbuse, EndsHeaderSectionsThatGoOnForEver) {
  const std::string line = test::field_line("x", "y");
  for (const bool is_over : {false, true}) {
    for (const std::size_t step : {std::size_t{10'000}, std::size_t{1}}) {
      NotedServer server;
      std::string said = test::client_start() + frame(1, 1, 1, test::request_lines());
      const std::uint32_t most = server.options.max_continuations;
      for (std::uint32_t i = 1; i < most; ++i) said += frame(9, 0, 1, line);
      said += is_over ? frame(9, 0, 1, line) + frame(9, 4, 1, line) : frame(9, 4, 1, line);
      for (std::size_t at = 0; at < said.size(); at += step) {
        server.session.feed(std::string_view(said).substr(at, step), server.now);
      }
      EXPECT_EQ(server.session.abuse(), is_over ? "CONTINUATION frames without end" : "");
      EXPECT_EQ(server.drain().ends_with(big_endian(kCalm, 4)), is_over);
      EXPECT_EQ(server.session.is_over(), is_over);
      EXPECT_EQ(server.streams.at(0)->notes.empty(), is_over);
    }
  }
}

// A small frame may mean a large header section (HPACK's table).
TEST(SessionAbuse, EndsHeaderSectionsThatAreFarTooLarge) {
  NotedServer server;
  // 2000 bytes go into the table (RFC 7541 6.2.1), and a byte is enough for each further time.
  const std::string lines = test::request_lines() + "\x40\x01x\x7f\xd1\x0e" + std::string(2000, 'v');
  const auto limit = static_cast<int>(server.limits.head.bytes / 2033);
  server.session.feed(test::client_start() + frame(1, 5, 1, lines + times("\xbe", limit)), server.now);
  EXPECT_EQ(server.session.abuse(), "");
  EXPECT_THAT(server.streams.at(0)->notes, testing::ElementsAre("GET  end refused"));
  server.session.feed(frame(1, 5, 3, test::request_lines() + times("\xbe", 4 * limit + 4)), server.now);
  EXPECT_EQ(server.session.abuse(), "header section far too large");
  EXPECT_TRUE(server.drain().ends_with(big_endian(kCalm, 4)));
  EXPECT_TRUE(server.session.is_over());
}

// Answers to PINGs pile up where nobody takes them.
// Before it has heard how many it may open, which it never says that it has.
TEST(SessionAbuse, EndsAConnectionThatOpensStreamsOverTheirNumberAndTakesNoAnswers) {
  NotedServer server;
  server.session.feed(test::client_start(), server.now);
  std::uint32_t opened = 0;
  for (; opened < 10'000 && server.session.abuse().empty(); ++opened) {
    server.session.feed(frame(1, 5, 2 * opened + 1, test::request_lines()), server.now);
  }
  EXPECT_EQ(server.streams.size(), server.options.max_streams);
  EXPECT_LE(opened, server.options.max_streams + server.options.abuse.reset_burst + 2);
  EXPECT_FALSE(server.session.abuse().empty());
}

TEST(SessionAbuse, EndsAConnectionThatTakesNoAnswers) {
  Options options;
  options.abuse.frame_burst = 1'000'000;
  NotedServer server(options);
  std::string said = test::client_start();
  said += times(frame(6, 0, 0, "12345678"), 5000);
  EXPECT_FALSE(server.session.feed(said, server.now));
  EXPECT_EQ(server.session.abuse(), "answers that nobody takes");
  EXPECT_TRUE(server.drain().ends_with(big_endian(kCalm, 4)));
  EXPECT_TRUE(server.session.is_over());
}

}  // namespace
}  // namespace rproxy::http2
