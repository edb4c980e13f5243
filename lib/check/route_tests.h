// Runs [[tests]]: what is expected of requests, against what the configuration makes of them.
#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "check/explain.h"
#include "check/report.h"
#include "config/load.h"
#include "config/problems.h"

namespace rproxy::check {

struct TestRun {
  std::vector<TestOutcome> outcomes;  // as the tests
  std::set<std::size_t> routes;       // those that a test went to
};

// RP2801 for each test that fails or can't be asked.
TestRun run_tests(std::span<const config::RouteTest> tests, const config::Config& config, const Explainer& explainer,
                  config::Problems& problems);

// RP2802: a route that no test goes to; RP2803, an error: fewer than `percent_min` percent of them are gone to.
void check_coverage(const config::Config& config, const TestRun& run, double percent_min, config::Problems& problems);

// The tests with what the configuration makes of them as what is expected: of each the keys that it has, of one without any the usual
// ones. A test that can't be asked stays as it is.
std::vector<config::RouteTest> update_tests(std::vector<config::RouteTest> tests, const config::Config& config,
                                            const Explainer& explainer);

}  // namespace rproxy::check
