// Answers as they may come from anybody: whole, cut short at every byte, and pointing at themselves.
#include "net/dns_message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace rproxy::net {
namespace {

using namespace std::string_literals;
using testing::ElementsAre;

std::span<const std::uint8_t> bytes_of(const std::string& text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string head(char answers) { return "\0\1\x81\x80\0\1\0"s + answers + "\0\0\0\0"s + "\3app\4test\0\0\1\0\1"s; }

const std::string kAlias = "\xc0\x0c\0\5\0\1\0\0\0\x1e\0\7\4real\xc0\x10"s;
const std::string kA = "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\x0a\0\0\1"s;
const std::string kSrv = "\xc0\x0c\0\x21\0\1\0\0\0\x05\0\x0a\0\1\0\2\x1f\x41\1b\xc0\x10"s;

TEST(DnsMessage, FollowsAliasesAndCountsTheirTtl) {
  const std::string text = head(2) + kAlias + kA;
  const auto found = parse_addresses(bytes_of(text), DnsType::kA);
  ASSERT_TRUE(found);
  EXPECT_THAT(found->addresses, ElementsAre(IpAddress::parse("10.0.0.1").value()));
  EXPECT_EQ(found->ttl, std::chrono::seconds(30));
}

TEST(DnsMessage, ExpandsCompressedTargets) {
  const std::string text = head(2) + kA + kSrv;
  const auto found = parse_services(bytes_of(text));
  ASSERT_TRUE(found);
  EXPECT_THAT(found->services, ElementsAre(DnsService{1, 2, 8001, "b.test"}));
  EXPECT_EQ(found->ttl, std::chrono::seconds(5));
}

TEST(DnsMessage, CutShortAnywhereIsMalformed) {
  const std::string text = head(3) + kAlias + kA + kSrv;
  ASSERT_TRUE(parse_addresses(bytes_of(text), DnsType::kA));
  for (std::size_t size = 0; size < text.size(); ++size) {
    const std::string cut = text.substr(0, size);
    EXPECT_FALSE(parse_addresses(bytes_of(cut), DnsType::kA)) << size;
    EXPECT_FALSE(parse_services(bytes_of(cut))) << size;
  }
}

TEST(DnsMessage, RefusesRecordsOfTheWrongSizeAndNamesThatNeverEnd) {
  const std::string long_address = head(1) + "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\5\x0a\0\0\1\1"s;
  EXPECT_FALSE(parse_addresses(bytes_of(long_address), DnsType::kA));
  const std::string no_target = head(1) + "\xc0\x0c\0\x21\0\1\0\0\0\x05\0\6\0\1\0\2\x1f\x41"s;
  EXPECT_FALSE(parse_services(bytes_of(no_target)));
  // The target is a pointer at itself: 26 bytes of head, 12 of the record's beginning, 6 of numbers.
  const std::string loop = head(1) + "\xc0\x0c\0\x21\0\1\0\0\0\x05\0\x08\0\1\0\2\x1f\x41\xc0\x2c"s;
  EXPECT_FALSE(parse_services(bytes_of(loop)));
}

TEST(DnsMessage, TakesATtlWithItsHighestBitForZero) {
  const std::string text = head(1) + "\xc0\x0c\0\1\0\1\xff\xff\xff\xff\0\4\x0a\0\0\1"s;
  EXPECT_EQ(parse_addresses(bytes_of(text), DnsType::kA)->ttl, Duration{0});
}

}  // namespace
}  // namespace rproxy::net
