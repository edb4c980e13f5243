// Reports of texts that nobody would write on purpose. Schemas are held against them in tests/cli.
#include "check/report.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "check/catalogue.h"

namespace rproxy::check {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

config::Diagnostic finding_at(const config::Location& at, const std::string& text = "it is wrong") {
  return {"RP1008", config::Severity::kError, at, text, "mend it", nullptr, 0};
}

std::vector<Report> reports_of(const config::Diagnostic& finding) { return {{finding.at.file, {finding}, {}, true}}; }

nlohmann::json sarif_run(const std::vector<Report>& reports) {
  return nlohmann::json::parse(render_sarif(reports, "1.2.3"))["runs"][0];
}

std::vector<std::string> hostile_texts() {
  std::string bytes;
  for (int byte = 0; byte < 256; ++byte) bytes += static_cast<char>(byte);
  return {
      bytes, "]]>&amp;<x y='z'>\"", "a\n::error::b\r\n", "%0A,x:y", "\xed\xa0\x80", "\xef\xbf\xbe\xef\xbf\xbf", "\xc3",
      ""};
}

// XML 1.0, 2.2.
bool is_xml_text(std::string_view text) {
  while (!text.empty()) {
    const Character next = first_character(text);
    const bool is_control = next.code < 0x20 && next.code != '\n' && next.code != '\t' && next.code != '\r';
    if (next.size == 0 || is_control || next.code == 0xfffe || next.code == 0xffff) return false;
    text.remove_prefix(next.size);
  }
  return true;
}

TEST(Report, SarifNamesFilesByUriReferences) {
  const std::pair<const char*, const char*> cases[] = {
      {"conf.d/shop.toml", "conf.d/shop.toml"},
      {"a b#c?.toml", "a%20b%23c%3F.toml"},
      {"/etc/\xc3\xbc.toml", "file:///etc/%C3%BC.toml"},
      {"mailto:x.toml", "mailto%3Ax.toml"},
      {"../x%20.toml", "../x%2520.toml"},
      {"\xff", "%FF"},
  };
  for (const auto& [file, uri] : cases) {
    const auto run = sarif_run(reports_of(finding_at({file, 1, 1})));
    EXPECT_EQ(run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], uri);
  }
}

TEST(Report, SarifHasARuleForEveryEntryOfTheCatalogue) {
  const auto run = sarif_run(reports_of(finding_at({"a.toml", 7, 3})));
  const auto& rules = run["tool"]["driver"]["rules"];
  ASSERT_EQ(rules.size(), catalogue().size());
  for (std::size_t i = 0; i < rules.size(); ++i) {
    EXPECT_EQ(rules[i]["id"], catalogue()[i].id);
    EXPECT_EQ(rules[i]["defaultConfiguration"]["level"], severity_name(catalogue()[i].severity));
  }
  EXPECT_TRUE(std::ranges::is_sorted(catalogue(), {}, &CatalogueEntry::id));
  EXPECT_EQ(rules[run["results"][0]["ruleIndex"].get<std::size_t>()]["id"], "RP1008");
  EXPECT_EQ(run["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"], 7);
  EXPECT_EQ(run["results"][0]["locations"][0]["physicalLocation"]["region"]["startColumn"], 3);
}

TEST(Report, AFileAsAWholeHasNoLine) {
  const auto reports = reports_of(finding_at({"a.toml", 0, 0}));
  EXPECT_FALSE(sarif_run(reports)["results"][0]["locations"][0]["physicalLocation"].contains("region"));
  EXPECT_THAT(render_github(reports), StartsWith("::error file=a.toml,title=RP1008::"));
  EXPECT_THAT(render_junit(reports), HasSubstr("name=\"RP1008 a.toml\""));
  EXPECT_THAT(render_checkstyle(reports), HasSubstr("<error line=\"0\" severity="));
}

TEST(Report, WhateverTheTextIsEveryFormIsWellFormed) {
  for (const std::string& text : hostile_texts()) {
    auto reports = reports_of(finding_at({text, 1, 1}, text));
    reports.front().tests.push_back({text, {text, 2, 1}, text});
    EXPECT_TRUE(nlohmann::json::accept(render_json(reports)));
    EXPECT_TRUE(nlohmann::json::accept(render_sarif(reports, "1")));
    EXPECT_TRUE(is_xml_text(render_junit(reports)));
    EXPECT_TRUE(is_xml_text(render_checkstyle(reports)));
    for (const std::string& form : {render_junit(reports), render_checkstyle(reports)}) {
      EXPECT_THAT(form, Not(HasSubstr("<x"))) << text;
      EXPECT_THAT(form, Not(HasSubstr("]]>"))) << text;
    }
  }
}

TEST(Report, AFindingIsOneWorkflowCommand) {
  for (const std::string& text : hostile_texts()) {
    const std::string out = render_github(reports_of(finding_at({text, 1, 1}, text)));
    EXPECT_EQ(std::ranges::count(out, '\n'), 1) << out;
    EXPECT_EQ(std::ranges::count(out, '\r'), 0) << out;
    EXPECT_THAT(out, StartsWith("::error file="));
  }
  EXPECT_THAT(render_github(reports_of(finding_at({"a,b:c%.toml", 1, 1}))), HasSubstr("file=a%2Cb%3Ac%25.toml,line=1"));
  EXPECT_EQ(render_github(std::vector<Report>{{"a.toml", {}, {}, true}}), "");
}

TEST(Report, JunitCountsWhatItHas) {
  config::Diagnostic warning = finding_at({"a.toml", 1, 1});
  warning.severity = config::Severity::kWarning;
  const std::vector<Report> reports{
      {"a.toml", {warning, finding_at({"a.toml", 2, 1})}, {{"GET http://x/", {}, ""}}, true},
      {"clean.toml", {}, {}, true}};
  const std::string out = render_junit(reports);
  EXPECT_THAT(out, HasSubstr("<testsuites name=\"rproxy route-check\" tests=\"4\" failures=\"1\""));
  EXPECT_THAT(out, HasSubstr("<testsuite name=\"a.toml\" tests=\"3\" failures=\"1\""));
  EXPECT_THAT(out, HasSubstr("<testsuite name=\"clean.toml\" tests=\"1\" failures=\"0\""));
}

// What failed of a test is a finding, too; it is one test case all the same.
TEST(Report, JunitTellsOfAFailedTestOnce) {
  config::Diagnostic failed = finding_at({"a.toml", 2, 1});
  failed.id = "RP2801";
  const std::vector<Report> reports{{"a.toml", {failed}, {{"GET http://x/", failed.at, "status: expected 200"}}, true}};
  EXPECT_THAT(render_junit(reports), HasSubstr("tests=\"1\" failures=\"1\""));
}

}  // namespace
}  // namespace rproxy::check
