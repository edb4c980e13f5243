#include "server/proxied_client.h"

#include <string>
#include <utility>

#include "base/log.h"
#include "x509/certificate.h"

namespace rproxy::server {
namespace {

constexpr Duration kComplainEvery{1'000};

std::string text_of(const net::Peer& peer) { return peer.is_unix ? "unix:" : peer.ip.to_string(); }

// Balancers check whether a port is open by connecting, and say nothing.
bool is_check(const Error& error) {
  return error.context.empty() && (error.code == ErrorCode::kClosed || error.code == ErrorCode::kReset);
}

}  // namespace

void believe_proxy_header(exchange::Client& client) {
  if (client.proxy_header == nullptr) return;
  const net::ProxyHeader& header = *client.proxy_header;
  if (header.has_addresses) {
    client.peer = header.source;
    client.local = header.destination;
  }
  // Once more may be told of the client's TLS than of the connection's own, which is the proxy's.
  if (!header.tls.used) return;
  client.scheme = "https";
  client.tls_version = header.tls.version;
  client.tls_cipher = header.tls.cipher;
  if (!x509::normal_dns_name(header.authority).empty()) client.server_name = header.authority;
}

void Complaints::add(const net::Peer& peer, const Error& error, TimePoint now) {
  if (is_check(error)) return log::debug("{}: {} left", what_, text_of(peer));
  if (now - told_ < kComplainEvery) {
    ++untold_;
    return;
  }
  told_ = now;
  log::warn("closed: {}: {}: {} ({} more not told)", what_, text_of(peer), describe(error), std::exchange(untold_, 0));
}

}  // namespace rproxy::server
