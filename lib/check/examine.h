// All that route-check finds in one configuration, in one go.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "check/report.h"
#include "config/load.h"
#include "config/problems.h"

namespace rproxy::check {

struct ExamineOptions {
  bool is_strict = false;            // warnings are errors
  std::vector<std::string> denied;   // ids of warnings that are errors
  std::vector<std::string> allowed;  // ids of warnings that are left out; what is denied, too, is not
  // Finds more, where that is asked for: what only the network can tell.
  std::function<void(const config::Loaded&, config::Problems&)> ask_network;
  std::string tests;          // a file with further [[tests]]; empty: none
  bool has_coverage = false;  // routes that no test goes to are findings
  double coverage_min = 0;    // percent of the routes
};

// What config::load() and the files it names tell of `loaded`, and, where that has no errors, what lint() does; less what the options or
// comments in the files allow.
Report examine(const std::string& path, config::Loaded& loaded, const ExamineOptions& options);

}  // namespace rproxy::check
