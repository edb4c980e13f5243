#include "limit/key.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace rproxy::limit {
namespace {

IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }

TEST(KeyHasher, TellsScopesBytesAndSecretsApart) {
  const KeyHasher hasher(1);
  std::set<Key> keys;
  for (std::uint32_t scope = 0; scope < 100; ++scope) {
    for (int i = 0; i < 100; ++i) keys.insert(hasher.of(scope, "user" + std::to_string(i)));
  }
  EXPECT_EQ(keys.size(), 10'000U);
  EXPECT_EQ(hasher.of(1, "a"), KeyHasher(1).of(1, "a"));
  EXPECT_NE(hasher.of(1, "a"), KeyHasher(2).of(1, "a"));
  EXPECT_NE(KeyHasher::random().of(1, "a"), KeyHasher::random().of(1, "a"));
  EXPECT_NE(hasher.of(1, ""), hasher.of(2, ""));
}

TEST(KeyHasher, TakesAddressesForTheirBytes) {
  const KeyHasher hasher(1);
  EXPECT_EQ(hasher.of(3, address("192.0.2.1")), hasher.of(3, address("::ffff:192.0.2.1")));
  EXPECT_NE(hasher.of(3, address("192.0.2.1")), hasher.of(3, address("192.0.2.2")));
}

TEST(ClientNetwork, HasTheBitsOfThePrefix) {
  struct Case {
    const char* address;
    ClientPrefix prefix;
    const char* expected;
  };
  const Case cases[] = {
      {"192.0.2.77", {}, "192.0.2.77/32"},
      {"192.0.2.77", {24, 64}, "192.0.2.0/24"},
      {"192.0.2.77", {31, 64}, "192.0.2.76/31"},
      {"192.0.2.77", {0, 64}, "0.0.0.0/0"},
      {"192.0.2.77", {200, 64}, "192.0.2.77/32"},
      {"2001:db8:1:2:3:4:5:6", {}, "2001:db8:1:2::/64"},
      {"2001:db8:1:2:3:4:5:6", {32, 56}, "2001:db8:1::/56"},
      {"2001:db8:1:2:3:4:5:6", {32, 128}, "2001:db8:1:2:3:4:5:6/128"},
      {"2001:db8:1:2:3:4:5:6", {32, 255}, "2001:db8:1:2:3:4:5:6/128"},
      {"2001:db8:1:2:3:4:5:6", {32, 0}, "::/0"},
      {"::ffff:192.0.2.77", {24, 64}, "192.0.2.0/24"},
  };
  for (const auto& each : cases) {
    EXPECT_EQ(client_network(address(each.address), each.prefix).to_string(), each.expected) << each.address;
  }
}

}  // namespace
}  // namespace rproxy::limit
