#include "upstream/client_header.h"

#include "net/proxy_protocol.h"

namespace rproxy::upstream {

std::string client_header(ProxyProtocol protocol, const exchange::Client* client) {
  if (protocol == ProxyProtocol::kOff) return {};
  net::ProxyHeader header;
  header.version = protocol == ProxyProtocol::kV1 ? 1 : 2;
  if (client == nullptr) return net::write_proxy_header(header);
  header.has_addresses = true;
  header.source = client->peer;
  header.destination = client->local;
  header.authority = client->server_name;
  if (const auto* told = client->proxy_header; told != nullptr) {
    header.unique_id = told->unique_id;
    header.tls = told->tls;
    if (header.authority.empty()) header.authority = told->authority;
  }
  if (!header.tls.used && client->scheme == "https") {
    header.tls = {true, false, client->tls_version, client->tls_cipher, {}};
  }
  return net::write_proxy_header(header);
}

}  // namespace rproxy::upstream
