#include "cache/search_rule.h"

#include <gtest/gtest.h>

namespace rproxy::cache {
namespace {

std::optional<SearchRule> rule_of(std::string_view value) {
  http::Fields fields;
  fields.add(http::FieldId::kNoVarySearch, value);
  return SearchRule::of(fields);
}

TEST(SearchRule, TellsQueriesFromEachOtherByWhatTheyDependOn) {
  struct Case {
    const char* rule;
    const char* query;
    const char* significant;
  };
  const Case cases[] = {
      {"params", "a=1&b=2", ""},
      {"params=(\"utm\")", "utm=1&a=2", "a=2"},
      {"params=(\"utm\")", "u%74m=1&a=2&&", "a=2"},
      {"params=(\"a b\")", "a+b=1&c", "c"},
      {"params, except=(\"id\")", "id=3&x=1", "id=3"},
      {"key-order", "b=1&a=2&b=0", "a=2&b=1&b=0"},
      {"key-order, params=(\"x\")", "c&x=1&a", "a&c"},
  };
  for (const Case& each : cases) {
    const auto rule = rule_of(each.rule);
    ASSERT_TRUE(rule) << each.rule;
    EXPECT_EQ(rule->significant(each.query), each.significant) << each.rule;
  }
}

TEST(SearchRule, IsNoneWhereItSaysNothingOrIsMalformed) {
  for (const char* value : {"", "params=?0", "key-order=?0", "params=1", "params=(a)", "except=(\"a\")", "key-order=1",
                            "params=(\"a\"", "other"}) {
    EXPECT_FALSE(rule_of(value)) << value;
  }
}

}  // namespace
}  // namespace rproxy::cache
