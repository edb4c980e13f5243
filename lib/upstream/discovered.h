// One server of an upstream as it has been found: where to connect to, and the name its certificate must have.
#pragma once

#include <cstring>
#include <string>
#include <vector>

#include "balance/endpoint.h"
#include "net/socket_address.h"

namespace rproxy::upstream {

struct DiscoveredEndpoint {
  balance::EndpointOptions options;  // with the address that was found
  net::SocketAddress address;
  std::string tls_name;

  bool is_at(const net::SocketAddress& other) const {
    return address.size == other.size && std::memcmp(&address.storage, &other.storage, address.size) == 0;
  }
  bool operator==(const DiscoveredEndpoint& other) const {
    return is_at(other.address) && options == other.options && tls_name == other.tls_name;
  }
};
using DiscoveredList = std::vector<DiscoveredEndpoint>;

}  // namespace rproxy::upstream
