// The parts of lint(), each over its part of the configuration.
#pragma once

#include "config/load.h"
#include "config/problems.h"

namespace rproxy::check {

void lint_upstreams(const config::Loaded& loaded, config::Problems& problems);

}  // namespace rproxy::check
