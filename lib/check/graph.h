// A configuration as a picture: listeners, hosts, routes, upstreams, servers.
#pragma once

#include <cstdint>
#include <string>

#include "config/config.h"

namespace rproxy::check {

enum class GraphLanguage : std::uint8_t { kDot, kMermaid };

// Of many routes those from one host to one place are drawn as one; of many hosts those that lead to the same places.
std::string draw(const config::Config& config, GraphLanguage language);

}  // namespace rproxy::check
