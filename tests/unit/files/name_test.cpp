// Which file a path is the name of.
#include "files/name.h"

#include <gtest/gtest.h>

namespace rproxy::files {
namespace {

TEST(Name, IsThePathDecoded) {
  const std::pair<const char*, const char*> cases[] = {{"/", ""},
                                                       {"/a", "a"},
                                                       {"/a/", "a/"},
                                                       {"/a/b.txt", "a/b.txt"},
                                                       {"/a%20b", "a b"},
                                                       {"/%C3%A4", "\xc3\xa4"},
                                                       {"/%FF", "\xff"},
                                                       {"/100%25", "100%"},
                                                       {"/a..b", "a..b"},
                                                       {"/a.", "a."},
                                                       {"/%2541", "%41"},
                                                       {"/~x", "~x"},
                                                       {"/.well-known/x", ".well-known/x"}};
  for (const auto& [path, name] : cases) EXPECT_EQ(name_of(path, false), name) << path;
}

TEST(Name, IsNothingWhereNoFileMayBeServed) {
  for (const char* path : {"",       "a",       "//",        "//a",  "/a//b",  "/a//", "/.",     "/..",    "/../a",
                           "/a/..",  "/a/../b", "/%2e%2e/a", "/%2E", "/a%2fb", "/%2f", "/a%5cb", "/a\\b",  "/%00",
                           "/a%00b", "/a%0ab",  "/%7f",      "/%",   "/%4",    "/%zz", "/a%2",   "/..%2fa"}) {
    EXPECT_FALSE(name_of(path, true)) << path;
    EXPECT_FALSE(name_of(path, false)) << path;
  }
}

TEST(Name, ThatBeginsWithADotIsHidden) {
  for (const char* path : {"/.env", "/.git/config", "/a/.b", "/.git", "/.git/", "/%2eenv", "/..a", "/...",
                           "/.well-known/.x", "/.well-knownx"}) {
    EXPECT_FALSE(name_of(path, false)) << path;
    EXPECT_TRUE(name_of(path, true)) << path;
  }
}

TEST(Name, HasTheLengthThatNamesCanHave) {
  EXPECT_TRUE(name_of("/" + std::string(255, 'x'), false));
  EXPECT_FALSE(name_of("/" + std::string(256, 'x'), false));
  std::string path;
  for (int i = 0; i < 2049; ++i) path += "/x";
  EXPECT_FALSE(name_of(path, false));
  EXPECT_TRUE(name_of(std::string_view(path).substr(0, 4000), false));
}

TEST(Name, IsEscapedSoThatItComesBack) {
  std::string all;
  for (int c = 0x20; c < 0x100; ++c) {
    if (c != '/' && c != '\\' && c != 0x7f) all += static_cast<char>(c);
  }
  EXPECT_EQ(escaped("a b:c"), "a%20b%3Ac");
  EXPECT_EQ(name_of("/" + escaped(all), true), all);
}

}  // namespace
}  // namespace rproxy::files
