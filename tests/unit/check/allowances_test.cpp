#include "check/allowances.h"

#include <gtest/gtest.h>

#include "check/examine.h"

namespace rproxy::check {
namespace {

constexpr const char* kHead = "[listen]\nhttp = \":80\"\n[upstreams.a]\nservers = [\"10.0.0.1:80\"]\n";

// The ids of what is found, in order.
std::vector<std::string> found_in(const std::string& routes, const ExamineOptions& options = {}) {
  auto loaded = config::load_text("test.toml", kHead + routes, [](std::string_view) { return std::nullopt; });
  const Report report = examine("test.toml", loaded, options);
  std::vector<std::string> ids;
  for (const auto& finding : report.findings) ids.push_back(finding.id);
  return ids;
}

TEST(Allowances, CountForTheLineTheNextLineOrTheTable) {
  struct Case {
    const char* routes;
    std::vector<std::string> ids;
  };
  const Case cases[] = {
      {"[[routes]]\nmatch = \"/a*\"\nupstream = \"a\"\n", {"RP2002"}},
      {"[[routes]]\nmatch = \"/a*\" # rproxy: allow RP2002 it is meant\nupstream = \"a\"\n", {}},
      {"[[routes]]\nmatch = \"/a*\" #rproxy:allow RP2002 it is meant\nupstream = \"a\"\n", {}},
      {"[[routes]]\n# rproxy: allow RP2002 it is meant\nmatch = \"/a*\"\nupstream = \"a\"\n", {}},
      {"# rproxy: allow RP2002 it is meant\n\n# and more\n[[routes]]\nupstream = \"a\"\nmatch = \"/a*\"\n", {}},
      {"# rproxy: allow RP2002 one table\n[[routes]]\nmatch = \"/a*\"\nupstream = \"a\"\n[[routes]]\nmatch = "
       "\"/b*\"\nupstream = "
       "\"a\"\n",
       {"RP2002"}},
      {"[[routes]]\nmatch = \"/a*\"\n# rproxy: allow RP2002 too late\nupstream = \"a\"\n", {"RP2002", "RP2902"}},
      {"[[routes]]\nmatch = \"/a*\" # rproxy: allow RP2003 another\nupstream = \"a\"\n", {"RP2002", "RP2902"}},
      {"[[routes]]\nmatch = \"/a*\" # rproxy: allow RP2002\nupstream = \"a\"\n", {"RP2002", "RP2901"}},
      {"[[routes]]\nmatch = \"/a*\" # rproxy: allow\nupstream = \"a\"\n", {"RP2002", "RP2901"}},
      {"[[routes]]\nmatch = \"/a*\" # rproxy is allowed RP2002\nupstream = \"a\"\n", {"RP2002"}},
      {"[[routes]]\nmatch = \"/a/*\"\nupstream = \"b\" # rproxy: allow RP1106 errors stay\n", {"RP1106"}},
      {"[[routes]]\nmatch = \"/a/*\"\nupstream = \"a\"\n# rproxy: allow RP2002 at the end", {"RP2902"}},
  };
  for (const Case& each : cases) EXPECT_EQ(found_in(each.routes), each.ids) << each.routes;
}

TEST(Allowances, AreCommentsAndNoPartsOfStrings) {
  const std::pair<const char*, std::size_t> cases[] = {
      {R"(a = "# rproxy: x")", 0},
      {R"(a = '# rproxy: x')", 0},
      {R"(a = "\" # rproxy: x")", 0},
      {R"(a = "\\" # rproxy: x)", 1},
      {R"(a = '\' # rproxy: x)", 1},
      {R"(a = "it's" # rproxy: x)", 1},
      {R"(a = "" # rproxy: x)", 1},
      {"a = \"\"\"\n# rproxy: x\n\"\"\" # rproxy: y", 1},
      {"a = '''\n# rproxy: x\n''' # rproxy: y", 1},
      {"a = \"\"\"x\"\"\"\"\" # rproxy: y", 1},
      {"# it's so # rproxy: x", 1},
      {"# don't\na = 1 # rproxy: x", 1},
  };
  for (const auto& [text, found] : cases) {
    const auto loaded =
        config::load_text("test.toml", std::string("b = 1\n") + text, [](std::string_view) { return std::nullopt; });
    ASSERT_NE(loaded.tree, nullptr) << text;
    config::Problems problems;
    const Allowances allowances(loaded, problems);
    EXPECT_EQ(problems.list().size(), found) << text;
  }
}

TEST(Allowances, StandWhereTheirCharactersDo) {
  for (const char* before : {"a = \"xy\" ", "a = \"\xc3\xbc\xe4\xb8\xad\" "}) {
    const auto loaded = config::load_text("test.toml", std::string(before) + "# rproxy: nonsense",
                                          [](std::string_view) { return std::nullopt; });
    config::Problems problems;
    const Allowances allowances(loaded, problems);
    ASSERT_EQ(problems.list().size(), 1U) << before;
    EXPECT_EQ(problems.list()[0].id, "RP2901");
    EXPECT_EQ(problems.list()[0].at.column, 10U) << before;
  }
}

TEST(Examine, WhatIsDeniedIsAnErrorWhateverElseIsSaid) {
  const std::string routes = "[[routes]]\nmatch = \"/a*\"\nupstream = \"a\"\n";
  auto loaded = config::load_text("test.toml", kHead + routes, [](std::string_view) { return std::nullopt; });
  struct Case {
    ExamineOptions options;
    std::size_t findings;
    config::Severity severity;
  };
  ExamineOptions allowed;
  allowed.allowed = {"RP2002"};
  ExamineOptions denied = allowed;
  denied.denied = {"RP2002"};
  ExamineOptions strict;
  strict.is_strict = true;
  using config::Severity;
  for (const Case& each : {Case{{}, 1, Severity::kWarning}, Case{allowed, 0, Severity::kWarning},
                           Case{denied, 1, Severity::kError}, Case{strict, 1, Severity::kError}}) {
    const Report report = examine("test.toml", loaded, each.options);
    ASSERT_EQ(report.findings.size(), each.findings);
    for (const auto& finding : report.findings) EXPECT_EQ(finding.severity, each.severity);
  }
}

}  // namespace
}  // namespace rproxy::check
