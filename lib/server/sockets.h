// The listening sockets of all workers, opened before anything is served or changed, so that a bind error is found at once.
#pragma once

#include <vector>

#include "base/fd.h"
#include "base/result.h"
#include "net/options.h"

namespace rproxy::server {

struct OpenSockets {
  HostPort bound;           // with the real port
  std::vector<Fd> sockets;  // one per worker
};

// `port_is_ours`: sockets of this process may be in the way, which is then no error. Errors: kCannotBind, kOutOfDescriptors.
Result<OpenSockets> open_sockets(net::ListenOptions options, unsigned workers, bool port_is_ours = false);

// Raises the soft limit of open descriptors to the hard one; returns it.
std::uint64_t raise_descriptor_limit();

}  // namespace rproxy::server
