// Whom to ask.
#pragma once

#include <string>

#include "base/address.h"
#include "base/result.h"
#include "base/units.h"
#include "net/loop.h"
#include "net/socket_address.h"
#include "net/task.h"

namespace rproxy::scan {

struct Target {
  net::SocketAddress address;
  std::string label;        // "127.0.0.1:443"
  std::string server_name;  // SNI, and what the certificate is to have
  Duration timeout{5'000};  // of each connection
  std::string greeting;     // sent before TLS, such as a PROXY header
};

// The first address that the name leads to. An empty `server_name` is the host. Errors: kConfig (no port), kResolveFailed.
net::Task<Result<Target>> find_target(net::Loop& loop, HostPort address, std::string server_name, Duration timeout);

}  // namespace rproxy::scan
