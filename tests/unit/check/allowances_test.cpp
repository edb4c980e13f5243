// Where a comment stands; what comments allow are golden cases.
#include "check/allowances.h"

#include <gtest/gtest.h>

namespace rproxy::check {
namespace {

TEST(Allowances, AColumnIsCountedInCharacters) {
  const std::pair<const char*, std::size_t> cases[] = {{"a = \"x\" # rproxy: nonsense", 9},
                                                       {"a = \"\xc3\xbc\xe4\xb8\xad\" # rproxy: nonsense", 10}};
  for (const auto& [text, column] : cases) {
    const auto loaded = config::load_text("test.toml", text, [](std::string_view) { return std::nullopt; });
    config::Problems problems;
    const Allowances allowances(loaded, problems);
    ASSERT_EQ(problems.list().size(), 1U) << text;
    EXPECT_EQ(problems.list()[0].id, "RP2901");
    EXPECT_EQ(problems.list()[0].at.column, column) << text;
  }
}

}  // namespace
}  // namespace rproxy::check
