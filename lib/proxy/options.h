// What an operator chooses about one route, beyond its match.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/address.h"
#include "base/units.h"
#include "files/options.h"
#include "filter/client_cert_rule.h"
#include "filter/compression_options.h"
#include "proxy/cache_options.h"
#include "route/rewrite.h"
#include "upstream/options.h"

namespace rproxy::proxy {

// Several upstreams that share a route's requests.
struct SplitOptions {
  struct Part {
    std::string upstream;
    std::uint32_t weight = 1;
  };
  // By what a client keeps to its part; kRequest: it does not.
  enum class By : std::uint8_t { kClientIp, kCookie, kRequest };
  std::vector<Part> parts;
  By by = By::kClientIp;
  std::string cookie = "rproxy_split";
  Duration lifetime{0};  // of the cookie; 0: the browser's session
};

// Another upstream that gets copies of a route's requests, whose answers nobody sees.
struct MirrorOptions {
  std::string upstream;
  std::uint32_t percent = 100;
  ByteSize max_body{65536};  // requests with more content are left out
  std::uint32_t max = 64;    // copies at once, per route and worker; more are left out
  Duration timeout{10'000};  // for one copy, to its answer's end
};

struct ForwardAction {
  std::string upstream;  // empty: split says
  std::optional<SplitOptions> split;
  std::optional<MirrorOptions> mirror;
  route::RewriteOptions rewrite;
  std::string host;             // Host sent upstream; empty: the client's
  bool hide_backend = true;     // strip Server and the like, rewrite Location and cookie domains
  bool proxy_status = false;    // add Proxy-Status (RFC 9209) to answers
  Duration request_timeout{0};  // the whole request, head read to last byte sent; 0: none
  bool grpc_web = false;        // translate for gRPC-Web clients
  upstream::QueuePriority queue_priority = upstream::QueuePriority::kNormal;
  CacheOptions cache;
  filter::CompressionOptions compression;
  filter::ClientCertRule client_cert;
  std::string strict_transport;  // Strict-Transport-Security of answers over TLS (RFC 6797); empty: none

  // The upstreams that may answer, in split's order.
  std::vector<std::string> targets() const {
    if (!split) return {upstream};
    std::vector<std::string> names;
    for (const auto& part : split->parts) names.push_back(part.upstream);
    return names;
  }
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

using Action = std::variant<ForwardAction, RedirectAction, RespondAction, files::Options>;

// The field in which upstreams are told a client's certificate.
struct ClientCertificateField {
  enum class Format : std::uint8_t { kRfc9440, kPem, kXfcc };
  std::string name = "Client-Cert";
  Format format = Format::kRfc9440;
  bool operator==(const ClientCertificateField&) const = default;
};

// What is told to the upstream about the client, and whom to believe.
struct ForwardingOptions {
  std::vector<IpNetwork>
      trusted_proxies;              // peers whose Forwarded, X-Forwarded-* and X-Request-ID are kept and appended to
  bool x_forwarded = true;          // X-Forwarded-For, -Proto, -Host
  bool forwarded = true;            // Forwarded (RFC 7239)
  bool via = true;                  // RFC 9110 7.6.3
  bool request_id = true;           // X-Request-ID
  std::string via_name = "rproxy";  // pseudonym; never the machine's name
  std::optional<ClientCertificateField> client_cert;
  bool operator==(const ForwardingOptions&) const = default;
};

}  // namespace rproxy::proxy
