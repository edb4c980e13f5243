#include "filter/dictionaries.h"

#include <gtest/gtest.h>

#include <string>

#include "http/base64.h"

namespace rproxy::filter {
namespace {

TEST(Dictionaries, MatchByWildcards) {
  struct Case {
    const char* match;
    const char* path;
    bool holds;
  };
  for (const auto& [match, path, holds] : {Case{"/a.js", "/a.js", true},
                                           {"/a.js", "/a.jsx", false},
                                           {"/app-*.js", "/app-2.js", true},
                                           {"/app-*.js", "/app-.js", true},
                                           {"/app-*.js", "/app-2.css", false},
                                           {"/app-*.js", "/x/app-2.js", false},
                                           {"/*", "/", true},
                                           {"*", "/anything", true},
                                           {"/a/*/c/*.js", "/a/b/c/d.js", true},
                                           {"/a/*/c/*.js", "/a/b/d.js", false},
                                           {"/a*a", "/a", false},
                                           {"/*b*b", "/b", false}}) {
    EXPECT_EQ(matches_dictionary(match, path), holds) << match << " " << path;
  }
}

TEST(Dictionaries, AreNamedByTheirHash) {
  struct Case {
    const char* value;
    bool is_understood;
  };
  for (const auto& [value, is_understood] : {Case{":pZGm1Av0IEBKARczz7exkNYsZb8LzaMrV7J32a2fFG4=:", true},
                                             {"pZGm1Av0IEBKARczz7exkNYsZb8LzaMrV7J32a2fFG4=", false},
                                             {":YWJj:", false},
                                             {"", false},
                                             {":pZGm1Av0IEBKARczz7exkNYsZb8LzaMrV7J32a2fFG4=:, :YWJj:", false},
                                             {"(:pZGm1Av0IEBKARczz7exkNYsZb8LzaMrV7J32a2fFG4=:)", false}}) {
    http::Fields fields;
    fields.add("Available-Dictionary", value);
    EXPECT_EQ(available_dictionary(fields).has_value(), is_understood) << value;
  }
  EXPECT_FALSE(available_dictionary({}));
}

TEST(Dictionaries, AreFoundWhereTheyAreFor) {
  Dictionaries dictionaries(1_MiB);
  dictionaries.learn("https://shop.com", "/app-1.js \"1\"", "/app-*.js", "var version = 1");
  const auto hash = codec::sha256_of("var version = 1");
  EXPECT_FALSE(dictionaries.claim("https://shop.com", "/app-1.js \"1\""));
  ASSERT_NE(dictionaries.find(hash, "https://shop.com", "/app-2.js"), nullptr);
  EXPECT_EQ(dictionaries.find(hash, "https://shop.com", "/app-2.js")->bytes(), "var version = 1");
  EXPECT_EQ(dictionaries.find(hash, "https://shop.com", "/other.js"), nullptr);
  EXPECT_EQ(dictionaries.find(hash, "https://evil.com", "/app-2.js"), nullptr);
  EXPECT_EQ(dictionaries.find(codec::sha256_of("x"), "https://shop.com", "/app-2.js"), nullptr);
}

TEST(Dictionaries, AreLearntByOneAtATimeAndByFewAtOnce) {
  Dictionaries dictionaries(1_MiB);
  EXPECT_TRUE(dictionaries.claim("o", "a"));
  EXPECT_FALSE(dictionaries.claim("o", "a"));
  dictionaries.release("o", "a");
  int claimed = 0;
  for (int i = 0; i < 100; ++i) claimed += dictionaries.claim("o", std::to_string(i)) ? 1 : 0;
  EXPECT_EQ(claimed, 16);
}

TEST(Dictionaries, TheLeastUsedGo) {
  Dictionaries dictionaries(ByteSize{40'000});
  for (const char* name : {"a", "b", "c"}) {
    dictionaries.learn("o", name, "*", std::string(4000, name[0]));
    dictionaries.find(codec::sha256_of(std::string(4000, 'a')), "o", "/");
  }
  EXPECT_FALSE(dictionaries.claim("o", "a"));
  EXPECT_TRUE(dictionaries.claim("o", "b"));
  EXPECT_FALSE(dictionaries.claim("o", "c"));
  EXPECT_LE(dictionaries.bytes(), 40'000U);
  dictionaries.learn("o", "large", "*", std::string(20'000, 'x'));
  EXPECT_TRUE(dictionaries.claim("o", "large"));
}

}  // namespace
}  // namespace rproxy::filter
