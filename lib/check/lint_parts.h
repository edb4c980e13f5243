// The parts of lint(), each over its part of the configuration.
#pragma once

#include "config/load.h"
#include "config/problems.h"

namespace rproxy::check {

void lint_routes(const config::Loaded& loaded, config::Problems& problems);
void lint_redirects(const config::Loaded& loaded, config::Problems& problems);
void lint_upstreams(const config::Loaded& loaded, config::Problems& problems);
void lint_trust(const config::Loaded& loaded, config::Problems& problems);
void lint_certificates(const config::Loaded& loaded, config::Problems& problems);
void lint_cache(const config::Loaded& loaded, config::Problems& problems);
void lint_files(const config::Loaded& loaded, config::Problems& problems);

// The node of a route's `match`, or of that key of it where it is a table.
const config::Node& match_node(const config::Node& route, const char* key = nullptr);
// By which sample requests come: https where something listens for it.
std::string_view scheme_of(const config::Config& config);

}  // namespace rproxy::check
