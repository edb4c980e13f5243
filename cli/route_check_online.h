// What route-check finds out by asking the servers.
#pragma once

#include "config/load.h"
#include "config/problems.h"

namespace rproxy::cli {

// RP2401 for each server that can't be resolved, reached, or that does not pass its check; blocks for as long as the probes' timeouts.
void add_online_findings(const config::Loaded& loaded, config::Problems& problems);

}  // namespace rproxy::cli
