#include <gtest/gtest.h>

#include "exchange/http1_body.h"
#include "support/test_loop.h"

namespace rproxy::exchange {
namespace {

using http::BodyLength;

struct Read {
  std::string text;
  bool whole = false;
  std::string left;  // on the stream behind the content
};

net::Task<void> read_all(net::Stream& stream, BodyLength length, Arena& arena, const Http1Content::Limits& limits,
                         Read& out) {
  Http1Content content(stream, length, arena, limits);
  for (;;) {
    auto slice = co_await content.read();
    if (!slice) co_return;
    out.text += slice->data;
    if (slice->last) break;
  }
  out.whole = true;
  content.finish();
  out.left = stream.input();
}

net::Task<void> send_pieces(net::Stream& stream, std::vector<std::string_view> pieces) {
  for (const auto piece : pieces) (void)co_await stream.write(piece);
  stream.shutdown_write();
}

Read receive(BodyLength length, const std::vector<std::string_view>& pieces, std::uint64_t most = 0) {
  test::TestLoop loop;
  auto [reader, writer] = loop.connected();
  Arena arena;
  const http::ChunkLimits chunks;
  const Http1Content::Limits limits{&chunks, Duration{5'000}, most, {}};
  Read out;
  loop.run(read_all(*reader, length, arena, limits, out), send_pieces(*writer, pieces));
  return out;
}

constexpr std::string_view kChunked = "5\r\nhello\r\n6;a=b\r\n world\r\n0\r\nX-T: 1\r\n\r\n";

TEST(Http1Content, IsTheSameInEverySplit) {
  for (std::size_t at = 0; at <= kChunked.size(); ++at) {
    const auto chunked = receive({BodyLength::Kind::kChunked, 0}, {kChunked.substr(0, at), kChunked.substr(at)});
    EXPECT_TRUE(chunked.whole) << at;
    EXPECT_EQ(chunked.text, "hello world") << at;
  }
  const std::string_view fixed = "hello world";
  for (std::size_t at = 0; at <= fixed.size(); ++at) {
    const auto got = receive({BodyLength::Kind::kFixed, 11}, {fixed.substr(0, at), fixed.substr(at)});
    EXPECT_TRUE(got.whole) << at;
    EXPECT_EQ(got.text, fixed) << at;
  }
  EXPECT_EQ(receive({BodyLength::Kind::kUntilClose, 0}, {"hello ", "world"}).text, "hello world");
}

TEST(Http1Content, CutShortIsNeverWhole) {
  // The trailer section's last line end completes a message, and nothing before it does.
  for (std::size_t at = 0; at < kChunked.size(); ++at) {
    EXPECT_FALSE(receive({BodyLength::Kind::kChunked, 0}, {kChunked.substr(0, at)}).whole) << at;
  }
  for (std::uint64_t at = 0; at < 11; ++at) {
    EXPECT_FALSE(receive({BodyLength::Kind::kFixed, 11}, {std::string_view("hello world").substr(0, at)}).whole) << at;
  }
}

TEST(Http1Content, LeavesWhatFollowsToTheNextMessage) {
  const std::string both = std::string(kChunked) + "GET / HTTP/1.1";
  EXPECT_EQ(receive({BodyLength::Kind::kChunked, 0}, {both}).left, "GET / HTTP/1.1");
  EXPECT_EQ(receive({BodyLength::Kind::kFixed, 5}, {"helloGET"}).left, "GET");
}

TEST(Http1Content, StopsAtTheLimit) {
  EXPECT_TRUE(receive({BodyLength::Kind::kChunked, 0}, {kChunked}, 11).whole);
  EXPECT_FALSE(receive({BodyLength::Kind::kChunked, 0}, {kChunked}, 10).whole);
}

}  // namespace
}  // namespace rproxy::exchange
