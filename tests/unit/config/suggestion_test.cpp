// Which word was meant, and in which order mistakes are told.
#include "config/diagnostic.h"

#include <gtest/gtest.h>

namespace rproxy::config {
namespace {

TEST(Nearest, IsWhatWasProbablyMeant) {
  const std::vector<std::string> known{"upstream", "redirect",     "respond",  "match",   "name",        "priority",
                                       "host",     "head_timeout", "max_head", "rewrite", "body_timeout"};
  const std::pair<const char*, const char*> cases[] = {
      {"upstream", "upstream"},
      {"upsteam", "upstream"},
      {"upstraem", "upstream"},  // neighbours swapped
      {"upstreams", "upstream"},
      {"pstream", "upstream"},
      {"uqstreem", "upstream"},
      {"hots", "host"},
      {"hst", "host"},
      {"hosts", "host"},
      {"nmae", "name"},
      {"header_timeout", "head_timeout"},
      {"head_timout", "head_timeout"},
      {"maxhead", "max_head"},
      {"rewrit", "rewrite"},
      {"mach", "match"},
      {"completely_else", ""},
      {"xyz", ""},
      {"", ""},
      {"h", ""},
      {"mmmmmmmm", ""},
  };
  for (const auto& [word, meant] : cases) EXPECT_EQ(nearest(word, known), meant) << word;
}

TEST(Nearest, TakesTheNearerAndOfEqualsTheFirst) {
  EXPECT_EQ(nearest("abcd", {"abxx", "abcx"}), "abcx");
  EXPECT_EQ(nearest("abcx", {"abcd", "abce"}), "abcd");
  EXPECT_EQ(nearest("abcx", {"abce", "abcd"}), "abce");
  EXPECT_EQ(nearest("abcx", {}), "");
  EXPECT_EQ(nearest("ab", {"cd"}), "");
  EXPECT_EQ(nearest("ab", {"b"}), "b");
}

TEST(Diagnostics, ComeByFileAndPositionAndOnce) {
  const auto make = [](const char* id, const char* file, std::size_t line, std::size_t column, const char* message) {
    Diagnostic made;
    made.id = id;
    made.at = {file, line, column};
    made.message = message;
    return made;
  };
  std::vector<Diagnostic> list{
      make("RP2", "b", 1, 1, "x"), make("RP2", "a", 10, 1, "x"), make("RP2", "a", 9, 7, "x"),
      make("RP1", "a", 9, 7, "x"), make("RP2", "a", 9, 7, "x"),  make("RP2", "a", 9, 7, "y"),
      make("RP2", "a", 9, 6, "x"), make("RP2", "a", 0, 0, "x"),
  };
  sort_diagnostics(list);
  std::string order;
  for (const auto& each : list)
    order += each.at.file + std::to_string(each.at.line) + "." + std::to_string(each.at.column) + each.id +
             each.message + " ";
  EXPECT_EQ(order, "a0.0RP2x a9.6RP2x a9.7RP1x a9.7RP2x a9.7RP2y a10.1RP2x b1.1RP2x ");
}

}  // namespace
}  // namespace rproxy::config
