// Diagnostics of a configuration on a terminal.
#pragma once

#include "config/load.h"

namespace rproxy::cli {

// Whether what goes there is shown in colour: a terminal, and NO_COLOR is not set.
bool use_color(int descriptor);

// "2 errors, 1 warning"; empty: neither.
std::string count_diagnostics(const std::vector<config::Diagnostic>& diagnostics);

// All of them to stderr, then a line that counts them.
void print_diagnostics(const config::Loaded& loaded, const std::string& path);

}  // namespace rproxy::cli
