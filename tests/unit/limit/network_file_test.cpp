#include "limit/network_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace rproxy::limit {
namespace {

using Severity = LineFinding::Severity;

TEST(NetworkFile, ReadsNetworksAddressesTextsAndComments) {
  NetworkSetBuilder builder;
  const auto reading = read_network_file(
      "\xef\xbb\xbf# offices\r\n"
      "192.0.2.0/24 office, 2nd floor # really\r\n"
      "\n"
      "   \t\n"
      "\t198.51.100.7\tprinter\n"
      "; a published list\n"
      "203.0.113.0/24 ; SBL1\n"
      "203.0.112.0/24;SBL2\n"
      "2001:db8::/32#none\n"
      "::1 \xc3\xa4",
      9, builder);
  EXPECT_EQ(reading.networks, 6U);
  EXPECT_TRUE(reading.findings.empty()) << reading.findings[0].message;
  const NetworkSet set = builder.build();
  struct Case {
    const char* address;
    std::uint32_t line;
    const char* text;
  };
  const Case cases[] = {{"192.0.2.9", 2, "office, 2nd floor"},
                        {"198.51.100.7", 5, "printer"},
                        {"203.0.113.1", 7, "SBL1"},
                        {"203.0.112.1", 8, "SBL2"},
                        {"2001:db8::7", 9, ""},
                        {"::1", 10, "\xc3\xa4"}};
  for (const auto& each : cases) {
    const auto* entry = set.find(IpAddress::parse(each.address).value());
    ASSERT_NE(entry, nullptr) << each.address;
    EXPECT_EQ(entry->line, each.line);
    EXPECT_EQ(entry->value, 9U);
    EXPECT_EQ(set.text_of(*entry), each.text);
  }
}

TEST(NetworkFile, SaysOfEachWrongLineWhatToWrite) {
  struct Case {
    std::string line;
    const char* expected;
  };
  const Case cases[] = {
      {"10.0.0.0/33", "a number from 0 to 32: write it as in 192.0.2.0/24"},
      {"10.0.0.0/", "a number from 0 to 32"},
      {"10.0.0.0/-1", "a number from 0 to 32"},
      {"2001:db8::/129", "a number from 0 to 128: write it as in 2001:db8::/32"},
      {"10.0.0.0/255.0.0.0", "write 10.0.0.0/8"},
      {"10.0.0.0 255.255.255.0", "write 10.0.0.0/24"},
      {"10/8", "short of numbers: write 10.0.0.0/8"},
      {"192.168/16 home", "write 192.168.0.0/16"},
      {"192.168.1./24", "write 192.168.1.0/24"},
      {"10.0.0.0-10.0.0.255", "is a range: write it as networks"},
      {"10.0.0.0/8, 11.0.0.0/8", "write 10.0.0.0/8 without the comma"},
      {"10.0.0.0/8 11.0.0.0/8", "write 11.0.0.0/8 on a line of its own"},
      {"10.0.0.1:80", "has a port: write 10.0.0.1 alone"},
      {"[2001:db8::1]:443", "has a port: write 2001:db8::1 alone"},
      {"[2001:db8::1]", "has brackets: write 2001:db8::1 alone"},
      {"fe80::1%eth0", "has a zone: write fe80::1 alone"},
      {"010.0.0.1", "is no network: write an address or a network"},
      {"example.com", "example.com is no network"},
      {"deny 10.0.0.0/8", "deny is no network"},
      {"300.1.2.3", "300.1.2.3 is no network"},
      {"10.0.0.1 a\x01", "plain text in UTF-8"},
      {"10.0.0.1 \xff", "plain text in UTF-8"},
      {std::string("10.0.0.1 a\0b", 12), "plain text in UTF-8"},
      {"10.0.0.1 " + std::string(201, 'x'), "longer than 200 bytes"},
      {std::string(1'001, '1'), "at most 1000 bytes"},
      {std::string(500, 'a'), " is no network"},
  };
  for (const auto& each : cases) {
    NetworkSetBuilder builder;
    const auto reading = read_network_file("1.1.1.1\n" + each.line + "\n2.2.2.2\n", 0, builder);
    ASSERT_EQ(reading.findings.size(), 1U) << each.line;
    EXPECT_EQ(reading.errors, 1U);
    EXPECT_EQ(reading.networks, 2U);
    EXPECT_EQ(reading.findings[0].line, 2U);
    EXPECT_EQ(reading.findings[0].severity, Severity::kError);
    EXPECT_THAT(reading.findings[0].message, testing::HasSubstr(each.expected));
    EXPECT_LT(reading.findings[0].message.size(), 300U);
    EXPECT_EQ(builder.build().size(), 2U);
  }
}

TEST(NetworkFile, TakesANetworkWithBitsBehindItsPrefixAndTellsOfIt) {
  NetworkSetBuilder builder;
  const auto reading = read_network_file("10.1.2.3/8 x\n", 0, builder);
  ASSERT_EQ(reading.findings.size(), 1U);
  EXPECT_EQ(reading.warnings, 1U);
  EXPECT_EQ(reading.errors, 0U);
  EXPECT_EQ(reading.findings[0].severity, Severity::kWarning);
  EXPECT_THAT(reading.findings[0].message, testing::HasSubstr("taken for 10.0.0.0/8: write that, or 10.1.2.3"));
  EXPECT_TRUE(builder.build().contains(IpAddress::parse("10.200.0.1").value()));
}

TEST(NetworkFile, TellsOfABoundedNumberAndCountsTheRest) {
  std::string text;
  for (int i = 0; i < 12'000; ++i) text += "x\n";
  NetworkSetBuilder builder;
  const auto reading = read_network_file(text, 0, builder);
  EXPECT_EQ(reading.errors, 12'000U);
  EXPECT_EQ(reading.findings.size(), NetworkFileReading::kFindingsMax);
}

TEST(NetworkFile, OfSeveralFilesMakesOneSet) {
  NetworkSetBuilder builder;
  read_network_file("10.0.0.0/8\n", 1, builder);
  read_network_file("10.1.0.0/16\n", 2, builder);
  const NetworkSet set = builder.build();
  EXPECT_EQ(set.find(IpAddress::parse("10.2.0.1").value())->value, 1U);
  EXPECT_EQ(set.find(IpAddress::parse("10.1.0.1").value())->value, 2U);
}

}  // namespace
}  // namespace rproxy::limit
