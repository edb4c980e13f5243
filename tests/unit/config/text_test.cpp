#include "config/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace rproxy::config {
namespace {

TEST(Printable, LeavesWhatCanBeSeen) {
  for (const std::string text : {"", "a \"b\" ~", "日本 é e\u0301 ß", "\U0001f600"}) EXPECT_EQ(printable(text), text);
}

TEST(Printable, EscapesWhatMovesTheCursorOrIsNotSeen) {
  EXPECT_EQ(printable("a\x1b[2J\a\x7f"), "a\\u001b[2J\\u0007\\u007f");
  EXPECT_EQ(printable("a\nb\rc"), "a\\nb\\u000dc");
  EXPECT_EQ(printable("\u009b2J"), "\\u009b2J");
  EXPECT_EQ(printable("\u200b\u200e\u200f\u202a\u202e\u2066\u2069\u061c\ufeff\u2028"),
            "\\u200b\\u200e\\u200f\\u202a\\u202e\\u2066\\u2069\\u061c\\ufeff\\u2028");
  EXPECT_EQ(printable("\U000e0041"), "\\U000e0041");
}

TEST(Printable, EscapesBytesThatAreNoCharacter) {
  EXPECT_EQ(printable("\xff\xc0\xafz"), "\\xff\\xc0\\xafz");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
  EXPECT_EQ(printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(printable("\xe2\x80"), "\\xe2\\x80");
}

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

TEST(Excerpt, EndsAMarkWhereTheLineIsCut) {
  const auto shown = excerpt(std::string(500, 'x'), 101, 400);
  EXPECT_EQ(shown.caret, 43U);
  EXPECT_EQ(shown.underline, 64U);
  EXPECT_TRUE(shown.line.ends_with("..."));
}

}  // namespace
}  // namespace rproxy::config
