#include "proxy/split.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

namespace rproxy::proxy {
namespace {

SplitOptions parts(const std::vector<std::uint32_t>& weights) {
  SplitOptions options;
  for (const auto weight : weights) options.parts.push_back({"u" + std::to_string(options.parts.size()), weight});
  return options;
}

IpAddress address(int number) {
  return *IpAddress::parse("10." + std::to_string(number >> 16 & 255) + "." + std::to_string(number >> 8 & 255) + "." +
                           std::to_string(number & 255));
}

struct Asked {
  explicit Asked(std::string_view cookie = {}) {
    request.arena = &arena;
    request.head.scheme = "https";
    if (!cookie.empty()) request.head.fields.add(http::FieldId::kCookie, arena.copy(cookie));
  }
  Arena arena;
  exchange::Request request;
};

// Six standard deviations: by chance one run in a billion.
void expect_share(double got, double of, double share) {
  EXPECT_NEAR(got, of * share, 6 * std::sqrt(of * share * (1 - share)) + 1);
}

TEST(Split, GivesEachPartItsShareOfTheClients) {
  const auto options = parts({90, 7, 3, 0});
  Split split(options, 1);
  constexpr int kClients = 100'000;
  std::array<int, 4> got{};
  for (int i = 0; i < kClients; ++i) ++got[split.part_at(Split::point_of(address(i)))];
  expect_share(got[0], kClients, 0.9);
  expect_share(got[1], kClients, 0.07);
  expect_share(got[2], kClients, 0.03);
  EXPECT_EQ(got[3], 0);
}

TEST(Split, ReachesItsEnds) {
  const auto options = parts({0, 1, 1'000'000, 0});
  const Split split(options, 1);
  EXPECT_EQ(split.part_at(0), 1U);
  EXPECT_EQ(split.part_at(~std::uint64_t{0}), 2U);
}

TEST(Split, APartThatGrowsKeepsItsClients) {
  const auto before = parts({95, 5});
  const auto after = parts({80, 20});
  const Split first(before, 1);
  const Split second(after, 2);
  for (int i = 0; i < 10'000; ++i) {
    const auto point = Split::point_of(address(i));
    EXPECT_TRUE(first.part_at(point) == 0 || second.part_at(point) == 1) << i;
  }
}

TEST(Split, ByClientTheSameOneIsAlwaysInTheSamePart) {
  const auto options = parts({1, 1});
  Split one(options, 1);
  Split other(options, 2);
  for (int i = 0; i < 1000; ++i) {
    Asked asked;
    asked.request.client_ip = address(i);
    const auto chosen = one.choose(asked.request);
    EXPECT_EQ(other.choose(asked.request).part, chosen.part) << "in another worker";
    EXPECT_FALSE(chosen.is_new);
  }
}

TEST(Split, ByCookieAClientIsToldOnceAndUnderstoodEverywhere) {
  auto options = parts({1, 1});
  options.by = SplitOptions::By::kCookie;
  Split one(options, 1);
  Split other(options, 2);
  std::array<int, 2> got{};
  for (int i = 0; i < 1000; ++i) {
    Asked first;
    const auto chosen = one.choose(first.request);
    ASSERT_TRUE(chosen.is_new);
    ++got[chosen.part];
    exchange::Response response;
    one.give(first.request, response, chosen);
    const std::string text(response.head.fields.get(http::FieldId::kSetCookie));
    EXPECT_NE(text.find("; Path=/; Secure; HttpOnly; SameSite=Lax"), std::string::npos) << text;
    Asked next("a=b; " + text.substr(0, text.find(';')));
    const auto again = other.choose(next.request);
    EXPECT_EQ(again.part, chosen.part);
    EXPECT_FALSE(again.is_new);
    EXPECT_EQ(next.request.head.fields.get(http::FieldId::kCookie), "a=b");
  }
  expect_share(got[0], 1000, 0.5);
}

TEST(Split, ACookieThatSaysNothingIsReplaced) {
  auto options = parts({1, 1});
  options.by = SplitOptions::By::kCookie;
  Split split(options, 1);
  for (const auto* cookie : {"rproxy_split=", "rproxy_split=12", "rproxy_split=000000000000000g",
                             "rproxy_split=00000000000000000", "rproxy_split=+00000000000000f"}) {
    Asked asked(cookie);
    EXPECT_TRUE(split.choose(asked.request).is_new) << cookie;
  }
}

TEST(Split, ByRequestEachIsAnew) {
  auto options = parts({1, 1});
  options.by = SplitOptions::By::kRequest;
  Split split(options, 1);
  std::array<int, 2> got{};
  for (int i = 0; i < 10'000; ++i) {
    Asked asked;
    const auto chosen = split.choose(asked.request);
    EXPECT_FALSE(chosen.is_new);
    ++got[chosen.part];
  }
  expect_share(got[0], 10'000, 0.5);
}

}  // namespace
}  // namespace rproxy::proxy
