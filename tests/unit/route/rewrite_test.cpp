#include "route/rewrite.h"

#include <gtest/gtest.h>

namespace rproxy::route {
namespace {

TEST(Rewrite, ChangesThePathAndNothingElse) {
  struct Case {
    RewriteOptions options;
    const char* path;
    const char* expected;
  };
  const Case cases[] = {
      {{"/api", "", "", "", ""}, "/api/x", "/x"},
      {{"/api", "", "", "", ""}, "/api", "/"},
      {{"/api", "", "", "", ""}, "/apix", "/apix"},
      {{"/api/", "", "", "", ""}, "/api/x", "/x"},
      {{"", "/v2", "", "", ""}, "/x", "/v2/x"},
      {{"/images", "/static", "", "", ""}, "/images/a.png", "/static/a.png"},
      {{"", "", "/index.html", "", ""}, "/any/where", "/index.html"},
      {{"", "", "", "^/u/([0-9]+)", "/user/\\1"}, "/u/42/edit", "/user/42/edit"},
      {{"", "", "", "^/none", "/x"}, "/u", "/u"},
  };
  for (const Case& each : cases) {
    Arena arena;
    std::vector<RewriteProblem> problems;
    const auto rewrite = Rewrite::compile(each.options, problems);
    ASSERT_TRUE(rewrite.has_value());
    EXPECT_EQ(rewrite->apply(each.path, arena).value(), each.expected) << each.path;
  }
}

TEST(Rewrite, NeverMakesAPathThatMeansAnother) {
  Arena arena;
  std::vector<RewriteProblem> problems;
  const auto rewrite = Rewrite::compile({"", "", "", "^/x/(.*)$", "/a/../\\1"}, problems);
  ASSERT_TRUE(rewrite.has_value());
  const auto made = rewrite->apply("/x/y", arena);
  ASSERT_FALSE(made.has_value());
  EXPECT_EQ(made.error().context, "rewritten to /a/../y, which is no path");
}

TEST(Rewrite, NamesEveryKeyThatMakesNoPath) {
  struct Case {
    RewriteOptions options;
    std::vector<std::string_view> keys;
  };
  const Case cases[] = {
      {{"", "", "", "(", ""}, {"regex"}},
      {{"", "", "", "a", "\\9"}, {"replacement"}},
      {{"", "", "", "a", "/x?y=1"}, {"replacement"}},
      {{"", "", "", "a", "/x y"}, {"replacement"}},
      {{"", "", "", "", "/x"}, {"replacement"}},
      {{"a", "b", "", "", ""}, {"strip_prefix", "add_prefix"}},
      {{"", "/v2?x", "", "", ""}, {"add_prefix"}},
      {{"", "/a/../b", "", "", ""}, {"add_prefix"}},
      {{"", "/a b", "", "", ""}, {"add_prefix"}},
      {{"", "", "/index.php?x=1", "", ""}, {"replace_path"}},
      {{"/a", "", "/x", "", ""}, {"replace_path"}},
      {{"", "", "/%7euser", "", ""}, {"replace_path"}},
  };
  for (const Case& each : cases) {
    std::vector<RewriteProblem> problems;
    EXPECT_FALSE(Rewrite::compile(each.options, problems).has_value());
    std::vector<std::string_view> keys;
    for (const auto& problem : problems) keys.push_back(problem.key);
    EXPECT_EQ(keys, each.keys);
  }
}

}  // namespace
}  // namespace rproxy::route
