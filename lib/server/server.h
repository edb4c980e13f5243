// `rproxy serve`: from a configuration to a running proxy, until a signal ends it.
#pragma once

#include <functional>
#include <string>

#include "base/result.h"
#include "config/load.h"

namespace rproxy::server {

struct Options {
  // Reads the configuration as it was read at the start, with what flags override and check_tls() and check_files() have to say.
  std::function<config::Loaded()> load;
  bool watch = false;  // reload when the files change
  std::string version;
};

// Serves until SIGINT or SIGTERM, then drains: requests under way finish, at most config.server.drain_timeout long; a second signal ends
// at once. SIGUSR1 reopens log files. SIGHUP reads the configuration anew and puts it in the place of the one that is served, or leaves all
// as it is and logs why. Blocks; takes over these signals of the process. `loaded` is ok().
// Errors before anything is served: kCannotBind (a listener), kResolveFailed, kConfig, kFile (a certificate).
Result<void> run(config::Loaded loaded, Options options);

}  // namespace rproxy::server
