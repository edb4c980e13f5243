// Between our addresses and the kernel's.
#pragma once

#include <sys/socket.h>

#include <cstring>
#include <optional>

#include "base/address.h"
#include "net/peer.h"

namespace rproxy::net {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  int family() const { return storage.ss_family; }
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&storage); }
  bool operator==(const SocketAddress& other) const {
    return size == other.size && std::memcmp(&storage, &other.storage, size) == 0;
  }
};

// Addresses, Unix paths (at most 107 bytes) and "any"; nothing for names, which need a Resolver.
std::optional<SocketAddress> to_socket_address(const HostPort& address);

Peer peer_of(const sockaddr_storage& storage);

}  // namespace rproxy::net
