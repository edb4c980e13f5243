// Which listening sockets go on when the configuration changes.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "config/config.h"

namespace rproxy::server {

// A listener that is served.
struct LiveListener {
  std::size_t door = 0;  // its number in all workers
  config::Listener listener;
  HostPort bound;  // with the real port
};

// For each one wanted the index of the live one that it goes on with, by address; nothing: it is new. Of several at one address, which only
// port 0 makes possible, those of the same name belong together, then in their order.
std::vector<std::optional<std::size_t>> match_listeners(const std::vector<config::Listener>& wanted,
                                                        const std::vector<LiveListener>& live);

// Keys of a listener whose change its open socket does not show: they need a restart. "v6_only", "backlog"...
std::vector<std::string> keys_of_socket(const net::ListenOptions& live, const net::ListenOptions& wanted);

}  // namespace rproxy::server
