// What an operator chooses about one route, beyond its match.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/units.h"
#include "route/rewrite.h"

namespace rproxy::proxy {

struct ForwardAction {
  std::string upstream;
  route::RewriteOptions rewrite;
  std::string host;             // Host sent upstream; empty: the client's
  bool hide_backend = true;     // strip Server and the like, rewrite Location and cookie domains
  bool proxy_status = false;    // add Proxy-Status (RFC 9209) to answers
  Duration request_timeout{0};  // the whole request, head read to last byte sent; 0: none
  bool grpc_web = false;        // translate for gRPC-Web clients
};

struct RedirectAction {
  std::uint16_t status = 308;  // 301, 302, 303, 307, 308
  std::string location;        // as LocationTemplate takes it
};

struct RespondAction {
  std::uint16_t status = 200;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
};

using Action = std::variant<ForwardAction, RedirectAction, RespondAction>;

// What is told to the upstream about the client, and whom to believe.
struct ForwardingOptions {
  std::vector<IpNetwork>
      trusted_proxies;              // peers whose Forwarded, X-Forwarded-* and X-Request-ID are kept and appended to
  bool x_forwarded = true;          // X-Forwarded-For, -Proto, -Host
  bool forwarded = true;            // Forwarded (RFC 7239)
  bool via = true;                  // RFC 9110 7.6.3
  bool request_id = true;           // X-Request-ID
  std::string via_name = "rproxy";  // pseudonym; never the machine's name
  bool operator==(const ForwardingOptions&) const = default;
};

}  // namespace rproxy::proxy
