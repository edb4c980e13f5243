// `rproxy serve`: from a configuration to a running proxy, until a signal ends it.
#pragma once

#include "base/result.h"
#include "config/config.h"

namespace rproxy::server {

// Serves until SIGINT or SIGTERM, then drains: requests under way finish, at most config.server.drain_timeout long; a second signal ends
// at once. SIGUSR1 reopens log files. Blocks; takes over these signals of the process.
// Errors before anything is served: kCannotBind (a listener), kResolveFailed, kConfig, kFile (a certificate).
Result<void> run(config::Config config);

}  // namespace rproxy::server
