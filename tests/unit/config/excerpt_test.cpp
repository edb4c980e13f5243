#include "config/excerpt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace rproxy::config {
namespace {

TEST(Excerpt, MarksByColumnsOfTheTerminal) {
  const auto plain = excerpt("key = \"value\"", 7, 7);
  EXPECT_EQ(plain.line, "key = \"value\"");
  EXPECT_EQ(plain.caret, 6U);
  EXPECT_EQ(plain.underline, 7U);
  const auto wide = excerpt("日本 = \"東京\"", 6, 4);
  EXPECT_EQ(wide.caret, 7U);
  EXPECT_EQ(wide.underline, 6U);
  const auto tabs = excerpt("\tkey\t= 1", 7, 1);
  EXPECT_EQ(tabs.line, "    key    = 1");
  EXPECT_EQ(tabs.caret, 12U);
  const auto combined = excerpt("e\u0301 = x", 6, 1);
  EXPECT_EQ(combined.caret, 4U);
  const auto escaped = excerpt("\u202e = x", 5, 1);
  EXPECT_EQ(escaped.line, "\\u202e = x");
  EXPECT_EQ(escaped.caret, 9U);
}

TEST(Excerpt, IsFineWithPlacesOutsideTheLine) {
  EXPECT_EQ(excerpt("", 1, 1).underline, 1U);
  EXPECT_EQ(excerpt("ab", 9, 5).caret, 2U);
  EXPECT_EQ(excerpt("ab", 0, 1).caret, 0U);
}

// Wherever the mark is, it stands under the same characters, and the line fits.
TEST(Excerpt, CutsLongLinesAroundTheMark) {
  std::string line;
  for (int i = 0; i < 1000; ++i) line += static_cast<char>('a' + i % 26);
  for (std::size_t column = 1; column <= line.size(); ++column) {
    const auto shown = excerpt(line, column, 5);
    ASSERT_LE(shown.line.size(), 110U) << column;
    ASSERT_GE(shown.line.size(), 104U) << column;
    ASSERT_EQ(shown.line.substr(shown.caret, shown.underline), line.substr(column - 1, 5)) << column;
    ASSERT_EQ(shown.line.starts_with("..."), column > 41) << column;
    ASSERT_EQ(shown.line.ends_with("..."), column < line.size() - 63) << column;
  }
}

TEST(Excerpt, MarksWhatBeginsThere) {
  const auto marked = [](const std::string& line, std::size_t column) {
    const auto shown = excerpt(line, column, 0);
    return shown.line.substr(shown.caret, shown.underline);
  };
  EXPECT_EQ(marked("key = \"a \\\" b\" # c", 7), "\"a \\\" b\"");
  EXPECT_EQ(marked("key = 'a\\' # 'c'", 7), "'a\\'");
  EXPECT_EQ(marked("key = \"\"\"a", 7), "\"\"\"a");
  EXPECT_EQ(marked("key = \"open", 7), "\"open");
  EXPECT_EQ(marked("key = [1, [\"]\"], {}] # ]", 7), "[1, [\"]\"], {}]");
  EXPECT_EQ(marked("key = [1,", 7), "[");
  EXPECT_EQ(marked("[[routes]]", 1), "[[routes]]");
  EXPECT_EQ(marked("{ key = 12, b = 1 }", 9), "12");
  EXPECT_EQ(marked("key=1", 1), "key");
}

// A line of many megabytes is not taken apart.
TEST(Excerpt, IsQuickWithAnyLine) {
  const std::string line(std::size_t{16} << 20, '[');
  for (const std::size_t column : {std::size_t{1}, line.size() / 2, line.size()}) {
    const auto shown = excerpt(line, column, 0);
    EXPECT_LE(shown.line.size(), 110U);
    EXPECT_EQ(shown.underline, 1U);
  }
}

TEST(Excerpt, EndsAMarkWhereTheLineIsCut) {
  const auto shown = excerpt(std::string(500, 'x'), 101, 400);
  EXPECT_EQ(shown.caret, 43U);
  EXPECT_EQ(shown.underline, 64U);
  EXPECT_TRUE(shown.line.ends_with("..."));
}

}  // namespace
}  // namespace rproxy::config
