// What was found in one configuration, and the forms in which machines take it.
#pragma once

#include <span>
#include <string>
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

}  // namespace rproxy::check
