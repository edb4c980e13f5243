// Whether the directories that routes serve files of are there, where they are written.
#pragma once

#include "config/load.h"

namespace rproxy::check {

// Adds RP1212 to `loaded.diagnostics`.
void check_files(config::Loaded& loaded);

}  // namespace rproxy::check
