// Diagnostics of a configuration on a terminal.
#pragma once

#include "config/load.h"

namespace rproxy::cli {

// All of them to stderr, in colour where that is a terminal and NO_COLOR is not set, then a line that counts them.
void print_diagnostics(const config::Loaded& loaded, const std::string& path);

}  // namespace rproxy::cli
