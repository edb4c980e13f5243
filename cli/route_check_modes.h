// What route-check can be asked for beside findings. Each needs configurations without errors, and returns its exit code.
#pragma once

#include <string>

#include "check/question.h"
#include "config/load.h"

namespace rproxy::cli {

struct RouteCheckForm {
  std::string format = "text";
  bool is_json() const { return format == "json"; }
};

int explain_request(const config::Config& config, const check::Question& question, const RouteCheckForm& form);
int list_routes(const config::Config& config, const RouteCheckForm& form);
int draw_graph(const config::Config& config, const std::string& language);
// Exit code 1 where there are differences.
int show_differences(const config::Config& before, const config::Config& after, const RouteCheckForm& form);
// Writes what the configuration makes of the file's tests, or of requests for its routes where there is no such file.
int update_test_file(const config::Config& config, const std::string& path);

int refuse_route_check(const std::string& why);

}  // namespace rproxy::cli
