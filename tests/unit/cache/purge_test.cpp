#include "cache/purge.h"

#include <gtest/gtest.h>

#include "unit/cache/heads.h"

namespace rproxy::cache {
namespace {

using Kind = Purge::Kind;

TEST(Purge, MatchesWhatItNames) {
  const Meta meta = meta_of("shop https://shop.com/images/a.png?w=1", {}, 200,
                            {{"Surrogate-Key", "red green"}, {"Cache-Groups", "\"news\", \"top news\""}});
  const struct {
    Kind kind;
    std::string_view what;
    bool want;
  } cases[] = {
      {Kind::kAll, "", true},
      {Kind::kUrl, "https://shop.com/images/a.png?w=1", true},
      {Kind::kUrl, "https://shop.com/images/a.png", false},
      {Kind::kUrl, "shop https://shop.com/images/a.png?w=1", false},
      {Kind::kUrl, "", false},
      {Kind::kPrefix, "https://shop.com/images/", true},
      {Kind::kPrefix, "https://shop.com/image/", false},
      {Kind::kPrefix, "http://shop.com/", false},
      {Kind::kTag, "red", true},
      {Kind::kTag, "red green", false},
      {Kind::kTag, "Red", false},
      {Kind::kTag, "news", false},
      // RFC 9875 2: groups are of one origin.
      {Kind::kGroup, "https://shop.com news", true},
      {Kind::kGroup, "https://shop.com top news", true},
      {Kind::kGroup, "https://shop.org news", false},
      {Kind::kGroup, "http://shop.com news", false},
      {Kind::kGroup, "https://shop.com red", false},
      {Kind::kGroup, "https://shop.com", false},
      {Kind::kGroup, "", false},
  };
  for (const auto& [kind, what, want] : cases) {
    EXPECT_EQ((Purge{kind, std::string(what), false}.matches(meta)), want) << to_string(kind) << ' ' << what;
  }
}

TEST(Purge, OriginIsSchemeAndAuthority) {
  EXPECT_EQ(origin_of("https://shop.com/a/b"), "https://shop.com");
  EXPECT_EQ(origin_of("https://shop.com:8443/?a"), "https://shop.com:8443");
  EXPECT_EQ(origin_of("https://shop.com"), "https://shop.com");
  EXPECT_EQ(origin_of("//shop.com/a"), "//shop.com");
  EXPECT_EQ(origin_of("shop.com"), "");
  EXPECT_EQ(origin_of(""), "");
}

}  // namespace
}  // namespace rproxy::cache
