#include "route/regex_shape.h"

#include <gtest/gtest.h>
#include <re2/re2.h>

namespace rproxy::route {
namespace {

TEST(RegexShape, KnowsWhatAllMatchesBeginWith) {
  struct Case {
    const char* pattern;
    const char* text;
    const char* rest;
  };
  const Case cases[] = {
      {"", "", ""},
      {"/images/.*", "/images/", ".*"},
      {"^/a\\.b/[0-9]+$", "/a.b/", "[0-9]+$"},
      {"/api/v1", "/api/v1", ""},
      {"/apis?", "/api", "s?"},
      {"/ap{2}", "/a", "p{2}"},
      {"/ap+", "/a", "p+"},
      {"/a|/b", "", "/a|/b"},
      {"/x(a|b)", "/x", "(a|b)"},
      {"/x[|]y", "/x", "[|]y"},
      {"/x[]|]y|z", "", "/x[]|]y|z"},
      {"(?i)/A", "", "(?i)/A"},
      {"/\\d", "/", "\\d"},
      {"/\\Qa.b\\E", "/", "\\Qa.b\\E"},
  };
  for (const Case& each : cases) {
    const auto prefix = literal_prefix(each.pattern);
    EXPECT_EQ(prefix.text, each.text) << each.pattern;
    EXPECT_EQ(prefix.rest, each.rest) << each.pattern;
  }
}

TEST(RegexShape, GuessesExamplesThatMatch) {
  for (const char* pattern : {"/a.*", "/(en|de)/[a-z]+", "/v[0-9]{2}/x?", "^/a\\.b$", "/(?:x|y)+", "/[^/]+/z",
                              "/(?P<id>\\d+)", "/\\w+\\.png"}) {
    const auto examples = guess_examples(pattern);
    EXPECT_FALSE(examples.empty()) << pattern;
    for (const auto& text : examples) EXPECT_TRUE(re2::RE2::FullMatch(text, pattern)) << pattern << " " << text;
  }
}

TEST(RegexShape, GivesUpOnWhatItDoesNotKnow) {
  for (const char* pattern : {"(?i)a", "\\pL", "[[:alpha:]]", "(a", "a\\"})
    EXPECT_TRUE(guess_examples(pattern).empty()) << pattern;
  EXPECT_TRUE(guess_examples(std::string(100, '(') + std::string(100, ')')).empty());
}

}  // namespace
}  // namespace rproxy::route
