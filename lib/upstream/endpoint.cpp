#include "upstream/endpoint.h"

#include <chrono>
#include <utility>

#include "base/log.h"

namespace rproxy::upstream {

// With its port, and without where that is the default one.
void Endpoint::add_names(const HostPort& address) {
  names.push_back(address.to_string());
  const bool is_v6 = address.host.find(':') != std::string::npos;
  names.push_back(is_v6 ? "[" + address.host + "]" : address.host);
}

Endpoint::Endpoint(const balance::EndpointOptions& options, std::shared_ptr<balance::Peers> peers,
                   const net::SocketAddress& resolved, std::string name)
    : state(options, std::move(peers)), address(resolved), tls_name(std::move(name)) {
  if (options.address.kind == HostPort::Kind::kUnix) return;
  add_names(options.address);
  const net::Peer peer = net::peer_of(address.storage);
  if (options.address.kind == HostPort::Kind::kName) {
    add_names({HostPort::Kind::kIp, peer.ip.to_string(), peer.ip, peer.port});
  }
}

void log_ejection(std::string_view upstream, const balance::EndpointState& state, std::string_view why, TimePoint now) {
  log::warn("upstream {}: {} is left alone for {}: {}", upstream, state.name(),
            to_string(std::chrono::round<Duration>(state.ejected_until() - now)), why);
}

}  // namespace rproxy::upstream
