#include <algorithm>

#include "net/options.h"

namespace rproxy::net {

bool ProxyPeers::contains(const Peer& peer) const {
  if (peer.is_unix) return unix_sockets;
  return std::ranges::any_of(networks, [&](const IpNetwork& network) { return network.contains(peer.ip); });
}

}  // namespace rproxy::net
