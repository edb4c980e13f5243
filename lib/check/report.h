// What was found in one configuration, and the forms in which machines take it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/diagnostic.h"

namespace rproxy::check {

// One [[tests]] entry that was run; what failed of it is a finding, too.
struct TestOutcome {
  std::string name;  // "GET https://shop.com/images/a.png"
  config::Location at;
  std::string failure;  // expected against actual, lines; empty: it passed
};

struct Report {
  std::string file;  // as the user named it
  std::vector<config::Diagnostic> findings;
  std::vector<TestOutcome> tests;
  bool is_readable = true;  // false: nothing could be made of the file
};

// {"files": [{"file", "findings": [{"id", "severity", "file", "line", "column", "message", "remedy"}], "tests": [...]}]}
std::string render_json(std::span<const Report> reports);
// SARIF 2.1.0, as code scanning takes it; `version` is the tool's.
std::string render_sarif(std::span<const Report> reports, std::string_view version);
// A test suite for each file: errors are failures, warnings pass with what they say as output.
std::string render_junit(std::span<const Report> reports);
// Workflow commands, which become annotations.
std::string render_github(std::span<const Report> reports);
std::string render_checkstyle(std::span<const Report> reports);

// "shop.toml:12:3", or the file alone.
std::string place_of(const config::Location& at);

constexpr std::string_view severity_name(config::Severity severity) {
  return severity == config::Severity::kError ? "error" : "warning";
}

}  // namespace rproxy::check
