// The routes of a configuration, in the order of precedence.
#pragma once

#include <cstddef>
#include <string>

#include "config/config.h"

namespace rproxy::check {

// A table; what is too long for `width` columns is cut, 0: nothing is.
std::string list_routes(const config::Config& config, std::size_t width);
// [{"match", "conditions", "priority", "leads_to", "name", "file", "line"}]
std::string list_routes_json(const config::Config& config);

}  // namespace rproxy::check
