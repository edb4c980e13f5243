#include "net/socket_address.h"

#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstring>

namespace rproxy::net {
namespace {

SocketAddress from_ip(const IpAddress& ip, std::uint16_t port) {
  SocketAddress out;
  if (ip.is_v4()) {
    auto* v4 = reinterpret_cast<sockaddr_in*>(&out.storage);
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    std::memcpy(&v4->sin_addr, ip.bytes.data() + 12, 4);
    out.size = sizeof *v4;
  } else {
    auto* v6 = reinterpret_cast<sockaddr_in6*>(&out.storage);
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    std::memcpy(&v6->sin6_addr, ip.bytes.data(), 16);
    out.size = sizeof *v6;
  }
  return out;
}

bool kernel_has_ipv6() {
  const int socket = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return false;
  ::close(socket);
  return true;
}

}  // namespace

std::optional<SocketAddress> to_socket_address(const HostPort& address) {
  switch (address.kind) {
    case HostPort::Kind::kIp:
      return from_ip(address.ip, address.port);
    case HostPort::Kind::kAny: {
      // One dual-stack socket; where the kernel has no IPv6, IPv4 alone.
      IpAddress any;
      if (!kernel_has_ipv6()) any = *IpAddress::parse("0.0.0.0");
      return from_ip(any, address.port);
    }
    case HostPort::Kind::kUnix: {
      SocketAddress out;
      auto* local = reinterpret_cast<sockaddr_un*>(&out.storage);
      if (address.host.size() >= sizeof local->sun_path) return std::nullopt;
      local->sun_family = AF_UNIX;
      std::memcpy(local->sun_path, address.host.data(), address.host.size());
      out.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + address.host.size() + 1);
      return out;
    }
    case HostPort::Kind::kName:
      break;
  }
  return std::nullopt;
}

Peer peer_of(const sockaddr_storage& storage) {
  Peer peer;
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    peer.ip.bytes[10] = peer.ip.bytes[11] = 0xff;
    std::memcpy(peer.ip.bytes.data() + 12, &v4.sin_addr, 4);
    peer.port = ntohs(v4.sin_port);
  } else if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    std::memcpy(peer.ip.bytes.data(), &v6.sin6_addr, 16);
    peer.port = ntohs(v6.sin6_port);
  } else {
    peer.is_unix = true;
  }
  return peer;
}

}  // namespace rproxy::net
