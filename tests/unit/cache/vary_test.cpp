#include "cache/vary.h"

#include <gtest/gtest.h>

#include "unit/cache/heads.h"

namespace rproxy::cache {
namespace {

using Names = std::vector<std::string>;

TEST(Vary, NamesAreLowerCasedSortedAndOnce) {
  EXPECT_EQ(vary_names(fields_of({{"Vary", "Accept-Encoding, accept"}})), (Names{"accept", "accept-encoding"}));
  EXPECT_EQ(vary_names(fields_of({{"Vary", "B, a"}, {"vary", "A,c"}})), (Names{"a", "b", "c"}));
  EXPECT_EQ(vary_names(fields_of({{"Vary", " ,, "}})), Names{});
  EXPECT_EQ(vary_names(fields_of({{"X-Vary", "a"}})), Names{});
}

TEST(Vary, MatchesByNormalisedValues) {
  // RFC 9111 4.1
  const struct {
    std::string_view names;
    Lines stored;
    Lines asked;
    bool want;
  } cases[] = {
      {"", {{"Accept", "a"}}, {{"Accept", "b"}}, true},
      {"Accept", {{"Accept", "a/b"}}, {{"Accept", "a/b"}}, true},
      {"Accept", {{"Accept", "a/b"}}, {{"ACCEPT", "a/c"}}, false},
      {"Accept", {{"Accept", "a/b"}, {"X", "1"}}, {{"X", "2"}, {"accept", "a/b"}}, true},
      // White space where it means nothing, and lines that could be one.
      {"X-A", {{"X-A", "a, b"}}, {{"X-A", "a ,b"}}, true},
      {"X-A", {{"X-A", "a, b"}}, {{"X-A", "a"}, {"X-A", "b"}}, true},
      {"X-A", {{"X-A", "a"}, {"X-A", "b"}}, {{"X-A", "a,b"}}, true},
      {"X-A", {{"X-A", "a"}, {"X-A", "b"}}, {{"X-A", "b"}, {"X-A", "a"}}, false},
      {"X-A", {{"X-A", "a b"}}, {{"X-A", "ab"}}, false},
      {"X-A", {{"X-A", "\"a, b\""}}, {{"X-A", "\"a,b\""}}, false},
      {"X-A", {{"X-A", "a"}}, {{"X-A", "A"}}, false},
      // Of what is accepted neither case nor order means anything.
      {"Accept-Encoding", {{"Accept-Encoding", "gzip, br"}}, {{"Accept-Encoding", "BR,gzip"}}, true},
      {"Accept-Encoding", {{"Accept-Encoding", "gzip;q=1"}}, {{"Accept-Encoding", "gzip ; q=1"}}, true},
      {"Accept-Encoding", {{"Accept-Encoding", "gzip;q=1"}}, {{"Accept-Encoding", "gzip;q=0"}}, false},
      {"Accept-Encoding", {{"Accept-Encoding", "gzip"}}, {{"Accept-Encoding", "gzip, br"}}, false},
      {"Accept-Language", {{"Accept-Language", "de, en"}}, {{"Accept-Language", "EN, de"}}, true},
      // What is absent matches what is absent.
      {"X-A", {}, {}, true},
      {"X-A", {}, {{"X-A", "a"}}, false},
      {"X-A", {{"X-A", "a"}}, {}, false},
      // All that are named.
      {"A, B", {{"A", "1"}, {"B", "2"}}, {{"B", "2"}, {"A", "1"}}, true},
      {"A, B", {{"A", "1"}, {"B", "2"}}, {{"A", "1"}}, false},
      {"A, B", {{"A", "1"}, {"B", "2"}}, {{"A", "1"}, {"B", "3"}}, false},
      {"Cookie", {{"Cookie", "a=1; b=2"}}, {{"Cookie", "a=1; b=2"}}, true},
      {"Cookie", {{"Cookie", "a=1; b=2"}}, {{"Cookie", "a=1; b=3"}}, false},
  };
  for (const auto& each : cases) {
    const auto names = vary_names(fields_of({{"Vary", each.names}}));
    const auto stored = fields_of(each.stored);
    const auto asked = fields_of(each.asked);
    const auto said = std::string(each.names) + ": " + std::string(each.stored.empty() ? "" : each.stored[0].second) +
                      " / " + std::string(each.asked.empty() ? "" : each.asked[0].second);
    EXPECT_EQ(matches(variant_of(names, stored), asked), each.want) << said;
    EXPECT_EQ(matches(variant_of(names, asked), stored), each.want) << said;
    EXPECT_EQ(variant_of(names, stored) == variant_of(names, asked), each.want) << said;
    EXPECT_TRUE(matches(variant_of(names, stored), stored)) << said;
  }
}

TEST(Vary, ANameBehindManyRepetitionsCounts) {
  std::string names;
  for (int i = 0; i < 100; ++i) names += "a, ";
  EXPECT_EQ(vary_names(fields_of({{"Vary", names + "b"}, {"Vary", "c"}})), (Names{"a", "b", "c"}));
}

TEST(Vary, AnEmptyFieldIsNotAnAbsentOne) {
  // RFC 9111 4.1
  for (const std::string_view name : {"Accept-Encoding", "X-A"}) {
    const auto names = vary_names(fields_of({{"Vary", name}}));
    const auto empty = fields_of({{name, ""}});
    const auto absent = fields_of({});
    EXPECT_FALSE(matches(variant_of(names, empty), absent)) << name;
    EXPECT_FALSE(matches(variant_of(names, absent), empty)) << name;
    EXPECT_TRUE(matches(variant_of(names, empty), empty)) << name;
    EXPECT_TRUE(matches(variant_of(names, empty), fields_of({{name, " , "}}))) << name;
  }
}

TEST(Vary, CaseAndSpacesOfParametersCount) {
  // RFC 9110 8.3.1
  const struct {
    std::string_view stored;
    std::string_view asked;
    bool want;
  } cases[] = {
      {"a/b;profile=\"http://c/D\"", "a/b;profile=\"http://c/d\"", false},
      {"a/b;v=A", "a/b;v=a", false},
      {"a/b;t=\"c d\"", "a/b;t=\"cd\"", false},
      {"a/b;t=\"c\\\" D\"", "a/b;t=\"c\\\" d\"", false},
      {"A/B; Q=0.5 ;V=c", "a/b;q=0.5;v=c", true},
      {"a/b; t=\"c d\", e/f", "E/f,a/b;t=\"c d\"", true},
  };
  for (const auto& [stored, asked, want] : cases) {
    EXPECT_EQ(matches(variant_of({"accept"}, fields_of({{"Accept", stored}})), fields_of({{"Accept", asked}})), want)
        << stored << " / " << asked;
  }
}

}  // namespace
}  // namespace rproxy::cache
