#include "config/diagnostic.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/load.h"

namespace rproxy::config {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

Loaded load_lines(const std::string& text, const std::string& secret = {}) {
  return load_text("test.toml", text, [secret](std::string_view) { return std::optional(secret); });
}

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

Diagnostic diagnostic_at(std::size_t line, Severity severity) {
  return {"RP1004", severity, {"a.toml", line, 1}, fmt::format("number {}", line), {}, {}, 1};
}

TEST(Render, ShowsFiftyAndCountsTheRest) {
  std::vector<Diagnostic> many;
  for (std::size_t i = 1; i <= 73; ++i) many.push_back(diagnostic_at(i, Severity::kError));
  const std::string shown = render(many, false);
  EXPECT_EQ(count_of(shown, "error["), 50U);
  EXPECT_THAT(shown, EndsWith("\nand 23 more\n\n"));
  many.resize(50);
  EXPECT_EQ(count_of(render(many, false), "error["), 50U);
  EXPECT_THAT(render(many, false), Not(HasSubstr("more")));
}

TEST(Render, LetsNoWarningTakeThePlaceOfAnError) {
  std::vector<Diagnostic> many;
  for (std::size_t i = 1; i <= 60; ++i) many.push_back(diagnostic_at(i, Severity::kWarning));
  many.push_back(diagnostic_at(61, Severity::kError));
  const std::string shown = render(many, false);
  EXPECT_EQ(count_of(shown, "warning["), 49U);
  EXPECT_THAT(shown, HasSubstr("number 61"));
  EXPECT_THAT(shown, EndsWith("and 11 more\n\n"));
}

// Nothing a file, a key or a name holds reaches the terminal as a command.
TEST(Render, SendsTheTerminalNothingButText) {
  const std::string evil = "\u202e\u2066\u009b";
  const auto source = std::make_shared<const SourceFile>(SourceFile{"a.toml", "", {"s\a" + evil}});
  const Diagnostic diagnostic{
      "RP1004", Severity::kError, {"a\x1b[2J" + evil, 1, 3}, "m\x1b" + evil, "r\r" + evil, source, 1};
  const std::string shown = render(diagnostic, false);
  for (const char c : shown) EXPECT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << shown;
}

TEST(Render, SendsTheTerminalNothingButTextOfAnyFile) {
  for (const std::string text :
       {"\"a\\u001b[2J\\u202E\" = 1\n", "[client]\n\"\\u202E\" = 1\n", "[upstreams.\"x\\u001b\"]\nservers = []\n",
        "[server]\nlog_level = \"\\u001b\\u202E\"\n",
        "[[routes]]\nmatch = \"\\u202E\\u0007/\"\nupstream = \"\\u001b\"\n", "x = '\u202e'\n", "x = \x1b\n",
        "access_log = { format = \"{\\u202E}\" }\n"}) {
    const auto loaded = load_lines(text);
    ASSERT_FALSE(loaded.ok());
    for (const char c : render(loaded.diagnostics, false))
      ASSERT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f)) << render(loaded.diagnostics, false);
  }
}

TEST(Problems, TakeAnErrorAfterAnyNumberOfWarnings) {
  std::string servers = "\"10.0.0.1:80\"";
  for (int i = 0; i < 10'001; ++i) servers += ", \"10.0.0.1:80\"";
  const auto loaded = load_lines("[listen]\nhttp = \":80\"\n[upstreams.a]\nservers = [" + servers +
                                 ", \"10.0.0.1\"]\n[[routes]]\nmatch = \"*\"\nupstream = \"a\"\n");
  EXPECT_FALSE(loaded.ok());
  EXPECT_EQ(loaded.diagnostics.size(), 10'001U);
  EXPECT_THAT(render(loaded.diagnostics, false), HasSubstr("not an address"));
}

// A configuration in which `key` ("upstreams.*.pool.max_idle") has the value.
std::string with_key(const std::string& key, const std::string& value) {
  const auto dot = key.rfind('.');
  std::string table = key.substr(0, dot);
  if (const auto star = table.find('*'); star != std::string::npos) table.replace(star, 1, "app");
  const bool is_array = table == "routes" || table == "listeners" || table.ends_with(".servers");
  const std::string before = table.starts_with("routes.") ? "[[routes]]\n" : "";
  return before + (is_array ? "[[" + table + "]]" : "[" + table + "]") + "\n" + key.substr(dot + 1) + " = " + value +
         "\n";
}

TEST(Secrets, AreNotShownWhateverIsWrongWithThem) {
  std::vector<std::string> texts;
  for (const KeyInfo& key : all_keys()) texts.push_back(with_key(key.path, "\"${SECRET}\""));
  for (const std::string match : {"\"${SECRET}\"", "{ header = { a = { regex = \"${SECRET}\" } } }",
                                  "{ query = { a = { regex = \"x${SECRET}\" } } }"}) {
    texts.push_back(with_key("routes.match", match));
  }
  texts.push_back("access_log = \"${SECRET}\"\n");
  texts.push_back("include = \"${SECRET}\"\n");
  texts.push_back(
      with_key("routes.respond", "{ status = \"${SECRET}\", body = \"${SECRET}\", headers = { a = \"${SECRET}\" } }"));
  texts.push_back(with_key("forwarding.trusted_proxies", "[\"${SECRET}\"]"));
  texts.push_back("[listen]\nhttp = [\"${SECRET}\", \"${SECRET}\"]\n");
  texts.push_back("[upstreams.app]\nservers = [\"${SECRET}\", { address = \"${SECRET}\", weight = \"${SECRET}\" }]\n");
  for (const std::string secret :
       {"hunter2", "(hunter2", "/hunter2(", "{hunter2}", "hunter2:80", "hunter2\n", "9hunter2", "unix:/hunter2",
        "syslog:hunter2", "*.hunter2.*", "hunter2/..", "a hunter2"}) {
    for (const std::string& text : texts) {
      const std::string shown = render(load_lines(text, secret).diagnostics, false);
      EXPECT_THAT(shown, Not(HasSubstr("hunter2"))) << text << secret;
    }
  }
}

}  // namespace
}  // namespace rproxy::config
