// The whole configuration, typed, with defaults applied: what serve, route-check and every other tool start from.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "acme/options.h"
#include "base/log.h"
#include "base/units.h"
#include "config/admin.h"
#include "config/node.h"
#include "config/route_test.h"
#include "downstream/options.h"
#include "filter/client_cert_rule.h"
#include "filter/compression_options.h"
#include "net/options.h"
#include "proxy/access_log_options.h"
#include "proxy/options.h"
#include "route/rule.h"
#include "storage/cache.h"
#include "upstream/options.h"

namespace rproxy::config {

struct Listener {
  std::string name;
  net::ListenOptions listen;
  net::ProxyPeers proxy_protocol;
  std::optional<net::TlsServerOptions> tls;  // absent: plain
  bool has_acme = false;                     // shows certificates from the ACME server as well
  // What clients may speak, the preferred first; with TLS agreed upon by ALPN, else told from a connection's first bytes.
  std::vector<std::string> protocols{"h2", "http/1.1"};
  bool speaks(std::string_view protocol) const { return std::ranges::find(protocols, protocol) != protocols.end(); }
  bool redirect_https = false;        // answer every request with a redirect to https
  std::uint16_t redirect_port = 443;  // the port named in that redirect, left out when 443
};

struct Route {
  route::Rule rule;
  proxy::Action action;
  Place at;
  bool has_name = false;  // else the rule's name is what it matches, as written
  filter::CompressionOptions compression;
  filter::ClientCertRule client_cert;
  std::string strict_transport;  // Strict-Transport-Security of answers over TLS (RFC 6797); empty: none
};

// A request with this header is told what would be done with it, where its peer may ask.
struct ExplainHeader {
  std::vector<IpNetwork> allow;  // none: nobody
  std::string header = "Rproxy-Explain";
};

constexpr unsigned kWorkersMax = 1024;

struct Server {
  unsigned workers = 0;               // 0: one per CPU this process may use
  std::uint64_t max_connections = 0;  // client connections in all; 0: as descriptors allow
  Duration drain_timeout{30'000};
  LogLevel log_level = LogLevel::kInfo;
};

struct Config {
  Server server;
  std::vector<Listener> listeners;
  acme::Options acme;
  std::vector<upstream::Options> upstreams;
  std::vector<Route> routes;
  downstream::Options client;
  proxy::ForwardingOptions forwarding;
  proxy::AccessLogOptions access_log;
  net::ResolverOptions resolver;
  Admin admin;
  ExplainHeader explain;
  storage::Options cache;
  filter::CompressionLimits compression;
  std::vector<RouteTest> tests;
};

}  // namespace rproxy::config
