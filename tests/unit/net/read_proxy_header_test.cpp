// The header comes off however it arrives, and nothing else does.
#include "net/read_proxy_header.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>

#include "support/test_loop.h"

namespace rproxy::net {
namespace {

constexpr std::string_view kBehind = "GET / HTTP/1.1\r\n\r\n";

std::string header_bytes(std::uint8_t version) {
  ProxyHeader header;
  header.version = version;
  header.has_addresses = true;
  header.source = {IpAddress::parse("203.0.113.7").value(), 50'000, false};
  header.destination = {IpAddress::parse("198.51.100.1").value(), 443, false};
  header.authority = "a-name-that-is-longer-than-what-a-string-holds-in-itself.example";
  return write_proxy_header(header);
}

struct Fixture {
  Fixture() {
    auto ends = loop.connected();
    ours = std::move(ends.first);
    theirs = std::move(ends.second);
  }
  Task<void> read(Duration timeout = Duration{0}) {
    result = co_await read_proxy_header(*theirs, 4096, timeout, received);
  }
  // In two pieces, the second when the first has been taken.
  Task<void> write(std::string_view bytes, std::size_t first) {
    (void)co_await ours->write(bytes.substr(0, first));
    co_await NextTurn(loop);
    co_await NextTurn(loop);
    if (first < bytes.size()) (void)co_await ours->write(bytes.substr(first));
  }
  Task<void> read_rest(std::size_t size) {
    while (theirs->input().size() < size) {
      auto filled = co_await theirs->fill();
      if (!filled || *filled == 0) co_return;
    }
  }

  test::TestLoop loop;
  StreamPtr ours;
  StreamPtr theirs;
  ReceivedProxyHeader received;
  std::optional<Result<void>> result;
};

TEST(ReadProxyHeader, LeavesWhatFollows) {
  for (const std::uint8_t version : {1, 2}) {
    const std::string bytes = header_bytes(version) + std::string(kBehind);
    for (std::size_t first = 0; first <= bytes.size(); ++first) {
      Fixture f;
      f.loop.run(f.read(), f.write(bytes, first));
      f.loop.run(f.read_rest(kBehind.size()));
      ASSERT_TRUE(f.result.value().has_value()) << first;
      EXPECT_EQ(f.theirs->input(), kBehind) << first;
      EXPECT_EQ(f.received.header.source.port, 50'000);
    }
  }
}

TEST(ReadProxyHeader, KeepsTheTextsWhenTheBufferHasGone) {
  Fixture f;
  const std::string bytes = header_bytes(2);
  f.loop.run(f.read(), f.write(bytes, 3));
  ASSERT_TRUE(f.result.value().has_value());
  const auto authority = f.received.header.authority;
  EXPECT_EQ(authority, "a-name-that-is-longer-than-what-a-string-holds-in-itself.example");
  EXPECT_GE(authority.data(), f.received.bytes.data());
  EXPECT_LT(authority.data(), f.received.bytes.data() + f.received.bytes.size());
}

TEST(ReadProxyHeader, SaysWhetherThePeerHadBegun) {
  for (const std::size_t size : {0, 1, 20}) {
    Fixture f;
    const std::string bytes = header_bytes(2).substr(0, size);
    f.loop.run(f.write(bytes, size));
    f.ours->shutdown_write();
    f.loop.run(f.read());
    ASSERT_FALSE(f.result.value().has_value());
    EXPECT_EQ(f.result->error().code, ErrorCode::kClosed);
    EXPECT_EQ(f.result->error().context.empty(), size == 0);
  }
}

TEST(ReadProxyHeader, GivesUpInTime) {
  Fixture f;
  const std::string bytes = header_bytes(2).substr(0, 17);
  f.loop.run(f.read(Duration{100}), f.write(bytes, 9));
  ASSERT_FALSE(f.result.value().has_value());
  EXPECT_EQ(f.result->error().code, ErrorCode::kReadTimeout);
}

}  // namespace
}  // namespace rproxy::net
