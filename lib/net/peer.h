// One end of a connection.
#pragma once

#include <cstdint>

#include "base/address.h"

namespace rproxy::net {

struct Peer {
  IpAddress ip;  // unset (all zero) for Unix sockets
  std::uint16_t port = 0;
  bool is_unix = false;
  bool operator==(const Peer&) const = default;
};

}  // namespace rproxy::net
