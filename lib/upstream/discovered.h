// One server of an upstream as it has been found: where to connect to, and the name its certificate must have.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/endpoint.h"
#include "net/socket_address.h"

namespace rproxy::upstream {

// The address by its bytes, which stay where they are.
inline std::string_view key_of(const net::SocketAddress& address) {
  return {reinterpret_cast<const char*>(&address.storage), address.size};
}

struct DiscoveredEndpoint {
  balance::EndpointOptions options;  // with the address that was found
  net::SocketAddress address;
  std::string tls_name;
  std::optional<HostPort> called{};  // the name that led to it, by which it may call itself

  std::string_view key() const { return key_of(address); }
  bool operator==(const DiscoveredEndpoint& other) const = default;
};
using DiscoveredList = std::vector<DiscoveredEndpoint>;

}  // namespace rproxy::upstream
