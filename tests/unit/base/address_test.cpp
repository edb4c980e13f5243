#include "base/address.h"

#include <gtest/gtest.h>

namespace rproxy {
namespace {

TEST(IpAddress, IsReadStrictlyAndWrittenByRfc5952) {
  const std::pair<const char*, const char*> cases[] = {
      {"192.0.2.1", "192.0.2.1"},
      {"2001:DB8::1", "2001:db8::1"},
      {"::", "::"},
      {"::1", "::1"},
      {"1:0:0:2:0:0:0:3", "1:0:0:2::3"},
      {"::ffff:192.0.2.1", "192.0.2.1"},
      {"192.0.2", ""},
      {"192.0.2.256", ""},
      {"192.0.2.01", ""},
      {"192.0.2.1 ", ""},
      {"[::1]", ""},
      {"::1%eth0", ""},
      {"1::2::3", ""},
      {"12345::", ""},
      {"", ""},
  };
  for (const auto& [text, written] : cases) {
    const auto parsed = IpAddress::parse(text);
    EXPECT_EQ(parsed ? parsed->to_string() : "", written) << text;
  }
}

TEST(IpNetwork, ContainsItsAddresses) {
  struct Case {
    const char* network;
    const char* address;
    bool inside;
  };
  const Case cases[] = {
      {"10.0.0.0/8", "10.255.0.1", true},
      {"10.0.0.0/8", "11.0.0.0", false},
      {"192.0.2.1", "192.0.2.1", true},
      {"192.0.2.1", "192.0.2.2", false},
      {"0.0.0.0/0", "203.0.113.9", true},
      {"0.0.0.0/0", "2001:db8::1", false},
      {"2001:db8::/32", "2001:db8:9::1", true},
      {"2001:db8::/32", "2001:db9::1", false},
      {"::/0", "192.0.2.1", true},
      {"10.1.0.0/15", "10.0.0.1", true},
  };
  for (const Case& each : cases) {
    const auto network = IpNetwork::parse(each.network);
    ASSERT_TRUE(network) << each.network;
    EXPECT_EQ(network->contains(IpAddress::parse(each.address).value()), each.inside)
        << each.network << ' ' << each.address;
  }
  for (const char* text : {"10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "::/129", "x/8"})
    EXPECT_FALSE(IpNetwork::parse(text)) << text;
  EXPECT_FALSE(IpNetwork::parse("10.1.0.0/8", true));
}

TEST(HostPort, IsAnAddressANameOrAPath) {
  using Kind = HostPort::Kind;
  const std::tuple<const char*, Kind, int> cases[] = {
      {"1.2.3.4:80", Kind::kIp, 80},
      {"[::1]:80", Kind::kIp, 80},
      {":80", Kind::kAny, 80},
      {"backend.internal:8001", Kind::kName, 8001},
      {"unix:/run/app.sock", Kind::kUnix, 0},
      {"1.2.3.4:0", Kind::kIp, 0},
  };
  for (const auto& [text, kind, port] : cases) {
    const auto parsed = HostPort::parse(text);
    ASSERT_TRUE(parsed) << text;
    EXPECT_EQ(parsed->kind, kind) << text;
    EXPECT_EQ(parsed->port, port) << text;
    EXPECT_EQ(HostPort::parse(parsed->to_string()), parsed) << text;
  }
  for (const char* text : {"", "80", "a:", "a:b", "a:65536", "[::1]", "::1:80", "unix:", "a b:80", "http://a:80"}) {
    EXPECT_FALSE(HostPort::parse(text)) << text;
  }
}

}  // namespace
}  // namespace rproxy
