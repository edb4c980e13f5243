// The listening sockets of all workers, opened before anything is served, so that a bind error is found at start.
#pragma once

#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "config/config.h"

namespace rproxy::server {

struct OpenListener {
  std::size_t listener = 0;  // index into config.listeners
  HostPort bound;            // with the real port
  std::vector<Fd> sockets;   // one per worker
};

Result<std::vector<OpenListener>> open_listeners(const config::Config& config, unsigned workers);

// Raises the soft limit of open descriptors to the hard one; returns it.
std::uint64_t raise_descriptor_limit();

}  // namespace rproxy::server
