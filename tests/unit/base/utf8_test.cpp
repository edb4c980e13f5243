#include "base/utf8.h"

#include <gtest/gtest.h>

#include <string>

namespace rproxy {
namespace {

TEST(Utf8, ReadsTheFirstCharacter) {
  struct Case {
    std::string text;
    char32_t code;
    std::size_t size;
  };
  const Case cases[] = {
      {"ab", 'a', 1},
      {std::string("\0", 1), 0, 1},
      {"\x7f", 0x7f, 1},
      {"\u0080x", 0x80, 2},
      {"\u07ff", 0x7ff, 2},
      {"\u0800", 0x800, 3},
      {"\ud7ff", 0xd7ff, 3},
      {"\ue000", 0xe000, 3},
      {"\U00010000", 0x10000, 4},
      {"\U0010ffff", 0x10ffff, 4},
  };
  for (const Case& each : cases) {
    const Character read = first_character(each.text);
    EXPECT_EQ(read.size, each.size) << each.text;
    EXPECT_EQ(read.code, each.code) << each.text;
  }
}

TEST(Utf8, TakesNothingElseForACharacter) {
  for (const char* text :
       {"", "\x80", "\xbf", "\xc0\xaf", "\xc1\xbf", "\xc3", "\xc3(", "\xe0\x9f\xbf", "\xe2\x82", "\xe2\x82(",
        "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf0\x9f\x98", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_EQ(first_character(text).size, 0U) << text;
  }
}

}  // namespace
}  // namespace rproxy
