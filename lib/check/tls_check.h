// Proves the TLS files and options of a configuration where they are written, so that all mistakes show at once.
#pragma once

#include "config/load.h"

namespace rproxy::check {

// Reads every certificate, key and authority in use, and tries every list of ciphers and groups; adds RP1304 to RP1309 to
// `loaded.diagnostics`. Opens no sockets.
void check_tls(config::Loaded& loaded);

}  // namespace rproxy::check
