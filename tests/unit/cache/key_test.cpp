#include "cache/key.h"

#include <gtest/gtest.h>

#include <set>

#include "unit/cache/heads.h"

namespace rproxy::cache {
namespace {

using Query = KeyOptions::Query;

http::RequestHead request_for(std::string_view query, const Lines& lines = {}) {
  auto request = request_of(lines);
  request.query = query;
  request.has_query = !query.empty();
  return request;
}

TEST(Key, IsScopeAndUrl) {
  Arena arena;
  const auto request = request_for("w=20&h=10");
  KeyOptions options;
  const auto text = [&](const KeyOptions& of) {
    return make_key("shop", of, request, "Shop.com:443", "/a.png", arena).text;
  };
  EXPECT_EQ(text(options), "shop https://shop.com/a.png?w=20&h=10");
  options.query = Query::kSorted;
  EXPECT_EQ(text(options), "shop https://shop.com/a.png?h=10&w=20");
  options.query = Query::kNone;
  EXPECT_EQ(text(options), "shop https://shop.com/a.png");
  options.scheme = false;
  EXPECT_EQ(text(options), "shop //shop.com/a.png");
  options.host = false;
  EXPECT_EQ(text(options), "shop ///a.png");
  options.scheme = true;
  EXPECT_EQ(text(options), "shop https:///a.png");

  EXPECT_EQ(url_of("shop https://shop.com/a"), "https://shop.com/a");
  EXPECT_EQ(scope_of("shop https://shop.com/a"), "shop");
  EXPECT_EQ(url_of(" https://shop.com/a"), "https://shop.com/a");
}

TEST(Key, AnEmptyQueryIsAnotherTargetThanNone) {
  Arena arena;
  auto request = request_for("");
  request.has_query = true;
  KeyOptions options;
  EXPECT_EQ(make_key("s", options, request, "a", "/", arena).text, "s https://a/?");
  options.query = Query::kSorted;
  EXPECT_EQ(make_key("s", options, request, "a", "/", arena).text, "s https://a/");
}

TEST(Key, AuthorityIsNormalised) {
  const struct {
    std::string_view scheme;
    std::string_view authority;
    std::string_view want;
  } cases[] = {
      {"https", "shop.com", "shop.com"},
      {"https", "SHOP.com:443", "shop.com"},
      {"http", "shop.com:80", "shop.com"},
      {"http", "shop.com:443", "shop.com:443"},
      {"https", "shop.com:80", "shop.com:80"},
      {"https", "shop.com:8443", "shop.com:8443"},
      {"https", "[2001:DB8::1]:443", "[2001:db8::1]"},
      {"https", "", ""},
  };
  Arena arena;
  for (const auto& [scheme, authority, want] : cases) {
    EXPECT_EQ(keyed_authority(scheme, authority, arena), want) << scheme << ' ' << authority;
  }
}

TEST(Key, QueryIsWhatTheOptionsLeaveOfIt) {
  const struct {
    Query query;
    std::vector<std::string> parameters;
    std::string_view given;
    std::string_view want;
  } cases[] = {
      {Query::kAll, {}, "b=1&&a", "b=1&&a"},
      {Query::kNone, {}, "b=1", ""},
      {Query::kSorted, {}, "b=1&a=2&c", "a=2&b=1&c"},
      {Query::kSorted, {}, "b&&a&", "a&b"},
      // Of one name the order counts.
      {Query::kSorted, {}, "b=2&a&b=1", "a&b=2&b=1"},
      {Query::kSorted, {}, "&", ""},
      {Query::kOnly, {"a", "b"}, "c=3&b=2&a=1&ab=4", "a=1&b=2"},
      {Query::kOnly, {"a"}, "%61=1&A=2", "%61=1"},
      {Query::kOnly, {}, "a=1", ""},
      {Query::kExcept, {"utm"}, "utm=1&b=2&a=1&utm", "a=1&b=2"},
      {Query::kExcept, {"a b"}, "a+b=1&a%20b=2&a=3", "a=3"},
      {Query::kExcept, {}, "b&a", "a&b"},
  };
  Arena arena;
  for (const auto& each : cases) {
    KeyOptions options;
    options.query = each.query;
    options.parameters = each.parameters;
    EXPECT_EQ(keyed_query(options, each.given, arena), each.want) << each.given;
  }
}

TEST(Key, ExtrasTellHeadersAndCookies) {
  KeyOptions options;
  options.headers = {"X-Device"};
  options.cookies = {"lang"};
  const struct {
    Lines lines;
    std::string_view want;
  } cases[] = {
      {{{"x-device", "mobile"}, {"Cookie", "a=1; lang=de"}}, " x-device:mobile cookie:lang=de"},
      {{}, " x-device cookie:lang"},
      {{{"X-Device", ""}, {"Cookie", "lang="}}, " x-device: cookie:lang="},
      {{{"X-Device", "a"}, {"X-Device", "b"}}, " x-device:a:b cookie:lang"},
      {{{"X-Device", "a cookie:lang=de"}}, " x-device:a%20cookie%3Alang=de cookie:lang"},
      {{{"X-Device", "50%\xff\t"}}, " x-device:50%25%FF%09 cookie:lang"},
  };
  Arena arena;
  for (const auto& [lines, want] : cases) {
    const auto extras = make_key("s", options, request_for("", lines), "a", "/", arena).extras;
    EXPECT_TRUE(extras.starts_with(want)) << extras;
  }
  EXPECT_EQ(make_key("s", {}, request_for(""), "a", "/", arena).extras, "");
}

TEST(Key, ExtrasLeaveTheUrlAsItIs) {
  KeyOptions options;
  options.headers = {"X-Device"};
  Arena arena;
  const auto a = make_key("s", options, request_for("", {{"X-Device", "a"}}), "a", "/", arena);
  const auto b = make_key("s", options, request_for("", {{"X-Device", "b"}}), "a", "/", arena);
  EXPECT_EQ(a.text, b.text);
  EXPECT_EQ(a.digest, b.digest);
  EXPECT_NE(a.extras, b.extras);
}

TEST(Digest, IsReadAsItIsWritten) {
  const Digest digest = Digest::of("shop https://shop.com/");
  EXPECT_EQ(digest.hex().size(), 32U);
  EXPECT_EQ(Digest::parse(digest.hex()), digest);
  EXPECT_EQ((Digest{1, 0xab}.hex()), "000000000000000100000000000000ab");
  EXPECT_NE(Digest::of("a"), Digest::of("b"));
  for (const std::string_view text : {"", "0", "000000000000000100000000000000AB", "00000000000000010000000000000+ab",
                                      "0x0000000000000100000000000000ab", "000000000000000100000000000000ab0"}) {
    EXPECT_EQ(Digest::parse(text), std::nullopt) << text;
  }
}

TEST(Key, TwoLinesAreNotOneWithAColon) {
  KeyOptions options;
  options.headers = {"Origin"};
  Arena arena;
  const auto extras = [&](const Lines& lines) {
    return make_key("s", options, request_for("", lines), "a", "/", arena).extras;
  };
  EXPECT_NE(extras({{"Origin", "https"}, {"Origin", "//shop.com"}}), extras({{"Origin", "https://shop.com"}}));
  EXPECT_NE(extras({{"Origin", ""}, {"Origin", ""}}), extras({{"Origin", ":"}}));
  EXPECT_EQ(extras({{"Origin", "https://shop.com"}}), " origin:https%3A//shop.com");
}

}  // namespace
}  // namespace rproxy::cache
