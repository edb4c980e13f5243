// The client's side of a session, and what a server may cost it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "http2/session.h"
#include "support/http2_frames.h"
#include "support/http2_server.h"

namespace rproxy::http2 {
namespace {

class Asked final : public Stream {
 public:
  explicit Asked(const http::HeadLimits& limits) { block.start(head.fields, arena, limits); }
  void on_block(bool last) override { has_ended = last; }
  void on_content(std::string_view) override {}
  void on_end() override { has_ended = true; }
  void on_taken() override {}
  void on_close(std::uint32_t) override { id = 0; }

  http::ResponseHead head;
  Arena arena;
  bool has_ended = false;
};

struct Fixture {
  void talk() {
    for (;;) {
      std::string up(65536, '\0');
      Session::Output out{up.data(), up.size()};
      session.drain(out);
      if (out.size > 0) server.receive(std::string_view(up).substr(0, out.size));
      const std::string down = server.take();
      if (!down.empty()) session.feed(down, now);
      if (out.size == 0 && down.empty()) return;
    }
  }
  Asked& ask() {
    Asked& stream = streams.emplace_back(limits);
    http::RequestHead head;
    head.method = "GET";
    head.scheme = "http";
    head.authority = "app";
    head.path = "/";
    EXPECT_TRUE(session.request(stream, head, {}, false));
    return stream;
  }

  Options options;
  http::HeadLimits limits;
  TimePoint now = TimePoint{} + std::chrono::hours(1);
  std::deque<Asked> streams;
  test::Http2Server server;
  Session session{Session::Role::kClient, options, limits, nullptr};
};

// Some credit both windows for each request, however small, and measure the line by PINGs.
TEST(ClientSession, LetsABusyServerSendAFewFramesForEachRequest) {
  Fixture f;
  f.talk();
  for (std::int32_t id = 1; id < 10'000; id += 2) {
    Asked& stream = f.ask();
    f.talk();
    f.server.answer(id, {{":status", "204"}});
    f.session.feed(test::frame(8, 0, 0, test::big_endian(10, 4)) + test::frame(6, 0, 0, "12345678"), f.now);
    f.talk();
    ASSERT_TRUE(stream.has_ended) << "after " << id / 2 << " requests: " << f.session.abuse();
  }
  EXPECT_EQ(f.session.abuse(), "");
}

TEST(ClientSession, EndsAFlood) {
  for (const std::uint8_t type : {std::uint8_t{6}, std::uint8_t{4}}) {
    Fixture f;
    f.talk();
    f.ask();
    f.talk();
    for (int i = 0; i < 5000 && f.session.abuse().empty(); ++i) {
      f.session.feed(type == 6 ? test::frame(6, 0, 0, "12345678") : test::frame(4, 0, 0), f.now);
      f.talk();
    }
    EXPECT_NE(f.session.abuse(), "");
    EXPECT_FALSE(f.session.can_request());
  }
}

// Padding fills windows, too, and nobody above hears of it.
TEST(ClientSession, CreditsPadding) {
  Fixture f;
  f.talk();
  Asked& stream = f.ask();
  f.talk();
  f.session.feed(test::frame(1, 4, 1, std::string("\x88")), f.now);
  const std::string padded = std::string(1, '\xff') + std::string(64, 'x') + std::string(255, '\0');
  std::size_t credited = 0;
  for (int i = 0; i < 8000; ++i) {
    ASSERT_TRUE(f.session.feed(test::frame(0, 8, 1, padded), f.now));
    ASSERT_NE(stream.id, 0) << "after " << i << " frames";
    f.session.consumed(stream, 64);
    char room[4096];
    Session::Output out{room, sizeof room};
    f.session.drain(out);
    credited += out.size;
  }
  EXPECT_GT(credited, 0U);
  EXPECT_EQ(f.session.abuse(), "");
}

}  // namespace
}  // namespace rproxy::http2
