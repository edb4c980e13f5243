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
    const auto rewrite = Rewrite::compile(each.options);
    ASSERT_TRUE(rewrite.has_value());
    EXPECT_EQ(rewrite->apply(each.path, arena).value(), each.expected) << each.path;
  }
}

TEST(Rewrite, NeverMakesAPathThatMeansAnother) {
  Arena arena;
  const auto rewrite = Rewrite::compile({"", "", "", "^/x/(.*)$", "/a/../\\1"});
  ASSERT_TRUE(rewrite.has_value());
  EXPECT_FALSE(rewrite->apply("/x/y", arena).has_value());
  EXPECT_FALSE(Rewrite::compile({"", "", "", "(", ""}).has_value());
}

}  // namespace
}  // namespace rproxy::route
