#include "limit/network_set.h"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "limit/key.h"

namespace rproxy::limit {
namespace {

IpAddress address(std::string_view text) { return IpAddress::parse(text).value(); }
IpNetwork network(std::string_view text) { return IpNetwork::parse(text).value(); }

std::string found(const NetworkSet& set, const IpAddress& address) {
  const auto* entry = set.find(address);
  return entry != nullptr ? entry->network.to_string() : "none";
}

TEST(NetworkSet, FindsTheLongestPrefix) {
  NetworkSetBuilder builder;
  for (const char* each : {"10.0.0.0/8", "10.0.0.0/16", "10.0.0.0/24", "10.255.0.0/16", "10.1.2.3", "0.0.0.0/1",
                           "255.255.255.255", "2001:db8::/32", "2001:db8::/48", "2001:db8:0:1::/64", "2001:db8::1",
                           "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:ffff:ffff:8000::/65"}) {
    EXPECT_TRUE(builder.add(network(each), 1));
  }
  const NetworkSet set = builder.build();
  struct Case {
    const char* address;
    const char* expected;
  };
  const Case cases[] = {
      {"0.0.0.0", "0.0.0.0/1"},
      {"9.255.255.255", "0.0.0.0/1"},
      {"10.0.0.0", "10.0.0.0/24"},
      {"10.0.0.255", "10.0.0.0/24"},
      {"10.0.1.0", "10.0.0.0/16"},
      {"10.1.0.0", "10.0.0.0/8"},
      {"10.1.2.2", "10.0.0.0/8"},
      {"10.1.2.3", "10.1.2.3/32"},
      {"10.1.2.4", "10.0.0.0/8"},
      {"10.255.255.255", "10.255.0.0/16"},
      {"11.0.0.0", "0.0.0.0/1"},
      {"127.255.255.255", "0.0.0.0/1"},
      {"128.0.0.0", "none"},
      {"255.255.255.254", "none"},
      {"255.255.255.255", "255.255.255.255/32"},
      {"::ffff:10.1.2.3", "10.1.2.3/32"},
      {"::", "none"},
      {"2001:db7:ffff:ffff:ffff:ffff:ffff:ffff", "none"},
      {"2001:db8::", "2001:db8::/48"},
      {"2001:db8::1", "2001:db8::1/128"},
      {"2001:db8::2", "2001:db8::/48"},
      {"2001:db8:0:1::5", "2001:db8:0:1::/64"},
      {"2001:db8:0:2::", "2001:db8::/48"},
      {"2001:db8:1::", "2001:db8::/32"},
      {"2001:db8:ffff:ffff:7fff:ffff:ffff:ffff", "2001:db8::/32"},
      {"2001:db8:ffff:ffff:8000::", "2001:db8:ffff:ffff:8000::/65"},
      {"2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:ffff:ffff:8000::/65"},
      {"2001:db9::", "none"},
      {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff/128"},
  };
  for (const auto& each : cases) EXPECT_EQ(found(set, address(each.address)), each.expected) << each.address;
}

TEST(NetworkSet, OfNothingHasNothing) {
  for (const NetworkSet& set : {NetworkSet(), NetworkSetBuilder().build()}) {
    for (const char* each : {"0.0.0.0", "255.255.255.255", "::", "ffff::"}) EXPECT_FALSE(set.contains(address(each)));
    EXPECT_EQ(set.size(), 0U);
  }
}

TEST(NetworkSet, KeepsIpv4AndIpv6Apart) {
  NetworkSetBuilder builder;
  builder.add(network("::/0"), 6);
  const NetworkSet six = builder.build();
  EXPECT_TRUE(six.contains(address("2001:db8::1")));
  EXPECT_TRUE(six.contains(address("::")));
  EXPECT_FALSE(six.contains(address("192.0.2.1")));
  builder.add(network("0.0.0.0/0"), 4);
  const NetworkSet four = builder.build();
  EXPECT_FALSE(four.contains(address("2001:db8::1")));
  EXPECT_TRUE(four.contains(address("0.0.0.0")));
  EXPECT_TRUE(four.contains(address("255.255.255.255")));
}

TEST(NetworkSet, OfTheSameNetworkTheFirstCounts) {
  NetworkSetBuilder builder;
  builder.add(network("10.0.0.0/8"), 1, "first", 3);
  builder.add(network("10.0.0.0/8"), 2, "second", 4);
  builder.add({address("10.9.9.9"), 104}, 3, "third", 5);
  const NetworkSet set = builder.build();
  EXPECT_EQ(set.size(), 1U);
  EXPECT_EQ(set.duplicates(), 2U);
  ASSERT_EQ(set.left_out().size(), 2U);
  EXPECT_EQ(set.left_out()[0].line, 4U);
  EXPECT_EQ(set.left_out()[1].value, 3U);
  EXPECT_EQ(set.text_of(set.left_out()[1]), "third");
  const auto* entry = set.find(address("10.1.1.1"));
  ASSERT_NE(entry, nullptr);
  EXPECT_EQ(entry->value, 1U);
  EXPECT_EQ(entry->line, 3U);
  EXPECT_EQ(set.text_of(*entry), "first");
}

TEST(NetworkSet, TellsABoundedNumberOfDuplicates) {
  NetworkSetBuilder builder;
  for (int i = 0; i < 5'000; ++i) builder.add(network(i % 2 == 0 ? "10.0.0.0/8" : "::1"), 1);
  const NetworkSet set = builder.build();
  EXPECT_EQ(set.size(), 2U);
  EXPECT_EQ(set.duplicates(), 4'998U);
  EXPECT_EQ(set.left_out().size(), NetworkSetBuilder::kLeftOutMax);
}

TEST(NetworkSet, TellsWhatWasSaidOfEach) {
  NetworkSetBuilder builder;
  for (int i = 0; i < 200; ++i)
    builder.add(network("10.0." + std::to_string(i) + ".0/24"), 0, i < 150 ? "list a" : "list b");
  const NetworkSet set = builder.build();
  for (int i = 0; i < 200; ++i) {
    const auto* entry = set.find(address("10.0." + std::to_string(i) + ".9"));
    ASSERT_NE(entry, nullptr);
    EXPECT_EQ(set.text_of(*entry), i < 150 ? "list a" : "list b");
  }
  EXPECT_LT(set.bytes(), 200 * sizeof(NetworkSet::Entry) + 200 * 2 * 8 + 2'000);
}

// Addresses that are alike in many bits, so that networks are within networks.
IpAddress near_address(std::mt19937_64& random, bool v4) {
  IpAddress out;
  if (v4) out = address("0.0.0.0");
  for (std::size_t i = v4 ? 12 : 0; i < 16; ++i) {
    out.bytes[i] = static_cast<std::uint8_t>(random() % 4 == 0 ? random() : (random() % 2) * 0xff);
  }
  return out;
}

IpAddress last_of(const IpNetwork& network) {
  IpAddress out = network.address;
  for (std::size_t bit = network.prefix; bit < 128; ++bit)
    out.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80U >> bit % 8);
  return out;
}

const IpNetwork* longest(const std::vector<IpNetwork>& networks, const IpAddress& address) {
  const IpNetwork* out = nullptr;
  for (const auto& each : networks) {
    if (address.is_v4() != (each.prefix >= 96 && each.address.is_v4())) continue;
    if (each.contains(address) && (out == nullptr || each.prefix > out->prefix)) out = &each;
  }
  return out;
}

TEST(NetworkSet, FindsWhatALookAtAllOfThemFinds) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    std::mt19937_64 random(seed);
    std::vector<IpNetwork> networks;
    NetworkSetBuilder builder;
    const std::size_t size = 1 + random() % 200;
    while (networks.size() < size) {
      const bool v4 = random() % 2 == 0;
      const auto prefix = static_cast<std::uint8_t>(v4 ? 96 + random() % 33 : random() % 129);
      networks.push_back(masked({near_address(random, v4), prefix}));
      builder.add(networks.back(), 0);
    }
    const NetworkSet set = builder.build();
    std::vector<IpAddress> asked;
    for (const auto& each : networks) {
      for (IpAddress at : {each.address, last_of(each)}) {
        asked.push_back(at);
        at.bytes[15] ^= 1;
        asked.push_back(at);
      }
    }
    for (int i = 0; i < 500; ++i) asked.push_back(near_address(random, i % 2 == 0));
    for (const auto& each : asked) {
      const IpNetwork* expected = longest(networks, each);
      ASSERT_EQ(found(set, each), expected != nullptr ? expected->to_string() : "none") << seed << each.to_string();
    }
  }
}

TEST(NetworkSet, HoldsAHundredThousandOfEachKind) {
  std::mt19937_64 random(5);
  NetworkSetBuilder builder;
  std::vector<IpNetwork> networks;
  for (int i = 0; i < 200'000; ++i) {
    IpAddress at = i % 2 == 0 ? address("0.0.0.0") : address("2a00::");
    for (std::size_t k = i % 2 == 0 ? 12 : 1; k < (i % 2 == 0 ? 16 : 8); ++k)
      at.bytes[k] = static_cast<std::uint8_t>(random());
    networks.push_back(masked({at, static_cast<std::uint8_t>(i % 2 == 0 ? 112 + random() % 17 : 32 + random() % 33)}));
    builder.add(networks.back(), static_cast<std::uint32_t>(i));
  }
  const NetworkSet set = builder.build();
  EXPECT_EQ(set.size() + set.duplicates(), 200'000U);
  for (const auto& each : networks) {
    const auto* entry = set.find(each.address);
    ASSERT_NE(entry, nullptr);
    ASSERT_TRUE(entry->network.contains(each.address) && entry->network.prefix >= each.prefix);
  }
  EXPECT_LT(set.bytes(), std::size_t{200'000} * 80);
}

}  // namespace
}  // namespace rproxy::limit
