// A file of [[tests]], written.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "check/judge.h"
#include "config/config.h"
#include "config/route_test.h"

namespace rproxy::check {

// One test for each route that a request is known to reach, with nothing expected yet; none where that would tell a secret.
std::vector<config::RouteTest> tests_of_routes(const config::Config& config, const Judge& judge);

// As TOML. Of `old`, the text that the tests were read from (empty: there is none), comments stay that stand by themselves before a test,
// or at the end. Errors: kConfig, naming the line of any other comment, which would be lost.
Result<std::string> render_tests(const std::vector<config::RouteTest>& tests, const std::string& old);

}  // namespace rproxy::check
