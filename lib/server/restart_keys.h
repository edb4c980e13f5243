// What of a configuration only a restart can change.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "config/config.h"

namespace rproxy::server {

// Sets in `next` what has to stay as it is where `buffer` bytes is the size of a loop's buffers; a line for each key that would have it
// otherwise.
std::vector<std::string> keep_until_restart(config::Config& next, const config::Config& running, std::size_t buffer);

}  // namespace rproxy::server
