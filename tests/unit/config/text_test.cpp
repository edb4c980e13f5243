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

}  // namespace
}  // namespace rproxy::config
