#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string>

#include "config/schema.h"
#include "http/characters.h"

namespace rproxy::config {
namespace {

constexpr std::uint32_t kWeightMax = 1000;
constexpr std::uint32_t kPriorityMax = 1000;

void decode_endpoint_address(Problems& problems, const Node& node, balance::EndpointOptions& out) {
  constexpr const char* kExamples =
      "\"10.0.0.1:8001\", \"[2001:db8::1]:8001\", \"name:8001\" or \"unix:/run/app.sock\"";
  if (!decode_address(problems, without_dns(node), kExamples, out.address)) return;
  if (out.address.kind == HostPort::Kind::kAny ||
      (out.address.kind != HostPort::Kind::kUnix && out.address.port == 0)) {
    problems.error("RP1101", node.at, fmt::format("no server to connect to: {}", shown(node)),
                   fmt::format("write {}", kExamples));
  }
}

constexpr Key<balance::EndpointOptions> kEndpoint[] = {
    special<balance::EndpointOptions>("address", "address", "\"10.0.0.1:8001\", \"name:80\", \"unix:/run/app.sock\"",
                                      decode_endpoint_address),
    ranged<0, kWeightMax, &balance::EndpointOptions::weight>("weight", "share of requests, 0 to 1000; 0 takes none"),
    // A list of servers has the same key in the same place.
    within<balance::EndpointOptions>({0, kListPriorityMax},
                                     ranged<0, kPriorityMax, &balance::EndpointOptions::priority>(
                                         "priority", "servers of the lowest number that has one available are used")),
    {"backup", "boolean", "used when no other server is available",
     [](Problems& p, const Node& n, balance::EndpointOptions& o) {
       bool is_backup = false;
       decode_value(p, n, is_backup);
       if (is_backup) o.priority = balance::kBackupPriority;
     },
     [](const balance::EndpointOptions& o) { return render_value(o.priority == balance::kBackupPriority); }},
    key<&balance::EndpointOptions::max_connections>("max_connections",
                                                    "requests at once, over all workers; 0: no limit"),
};

void check_backup(Problems& problems, const Node& server) {
  const Node* backup = server.find("backup");
  const Node* priority = server.find("priority");
  if (backup == nullptr || priority == nullptr || !backup->flag) return;
  problems.error("RP1006", priority->at, "a backup comes after every priority", "delete priority or backup");
}

using U = upstream::Options;

// One spelling for "[::1]:80" and "[0:0::1]:80", for "App:80" and "app.:80".
std::string spelling_of(HostPort address) {
  if (address.kind == HostPort::Kind::kIp) address.host = address.ip.to_string();
  if (address.kind == HostPort::Kind::kName) {
    std::ranges::transform(address.host, address.host.begin(), http::to_lower);
    if (address.host.ends_with('.')) address.host.pop_back();
  }
  return address.to_string();
}

}  // namespace

void decode_servers(Problems& problems, const Node& node, upstream::Options& out) {
  if (!expect(problems, node, Node::Kind::kArray, "an array of servers")) return;
  std::set<std::string> known;
  for (const Node& item : node.items) {
    if (item.is_broken) continue;
    const std::size_t before = problems.errors();
    const Node* address = item.is(Node::Kind::kTable) ? item.find("address") : &item;
    if (address != nullptr && is_source(*address)) {
      decode_source(problems, item, out);
      if (problems.errors() == before && !known.insert(address->text).second)
        problems.warning("RP1102", item.at, "the list is there twice", "delete one of them");
      continue;
    }
    balance::EndpointOptions endpoint;
    if (item.is(Node::Kind::kString)) {
      decode_endpoint_address(problems, item, endpoint);
    } else if (expect(problems, item, Node::Kind::kTable, "a server",
                      "\"10.0.0.1:8001\" or { address = \"10.0.0.1:8001\", weight = 2 }")) {
      decode_table<balance::EndpointOptions>(problems, item, "a server", kEndpoint, endpoint);
      check_backup(problems, item);
      if (lacks(item, "address", names_of(endpoint_keys())))
        problems.error("RP1005", item.at, "a server needs address", "address = \"10.0.0.1:8001\"");
    }
    if (problems.errors() != before || !item.is_whole()) continue;
    if (!known.insert(spelling_of(endpoint.address)).second)
      problems.warning("RP1102", item.at, "the server is listed twice", "give it a weight instead");
    out.endpoints.push_back(std::move(endpoint));
  }
}

namespace {

using T = net::TlsClientOptions;
constexpr Key<T> kTls[] = {
    key<&T::verify>("verify", "check the server's certificate"),
    key<&T::server_name>("server_name", "SNI and the name verified; empty: the server's host"),
    special<T>("ca_file", "path", "PEM; default: the system's store",
               [](Problems& p, const Node& n, T& o) { decode_file(p, n, o.ca_file); }),
    one_of<kTlsVersions, &T::min_version>("min_version", "\"1.2\" or \"1.3\""),
    special<T>("cert", "path", "PEM: this proxy's own, for servers that ask; read again when it changes",
               [](Problems& p, const Node& n, T& o) { decode_file(p, n, o.own.cert); }),
    special<T>("key", "path", "PEM: its private key",
               [](Problems& p, const Node& n, T& o) { decode_file(p, n, o.own.key); }),
};

void decode_upstream_tls(Problems& problems, const Node& node, U& out) {
  if (node.is(Node::Kind::kBool)) {
    out.tls.enabled = node.flag;
    return;
  }
  out.tls.enabled = true;
  decode_table<T>(problems, node, "tls", kTls, out.tls);
  const std::vector<std::string> known = names_of(Keys<T>(kTls));
  if (!lacks(node, "cert", known) || !lacks(node, "key", known)) check_pair(problems, node, known);
  if (!out.tls.verify) {
    problems.warning("RP1302", node.find("verify")->at,
                     "the server's certificate is not verified: anyone in between can read and change everything",
                     "give the certificate's issuer with ca_file instead");
  }
}

constexpr Key<upstream::PoolOptions> kPool[] = {
    key<&upstream::PoolOptions::max_idle>("max_idle", "kept per server and worker; 0: none"),
    key<&upstream::PoolOptions::idle_timeout>("idle_timeout", "then an idle connection is closed"),
    key<&upstream::PoolOptions::lifetime>("lifetime", "then a connection is not used again"),
    key<&upstream::PoolOptions::max_requests>("max_requests", "on one connection; 0: no limit"),
};

// In the order of their enumerators.
constexpr std::array kUpstreamProtocols{"http/1.1", "h2", "auto"};

constexpr std::int64_t kMax32 = std::numeric_limits<std::int32_t>::max();

using H = upstream::Http2Options;
constexpr Key<H> kHttp2[] = {
    ranged<1, 100'000, &H::protocol, &http2::Options::max_streams>("max_streams", "requests at once on a connection"),
    sized<65535, kMax32, &H::protocol, &http2::Options::stream_window>(
        "stream_window", "response content in flight, and held, per stream"),
    sized<65535, kMax32, &H::protocol, &http2::Options::connection_window>(
        "connection_window", "response content in flight on a connection"),
    key<&H::ping_interval>("ping_interval",
                           "ask after so much silence while requests are under way; 0: only when one has timed out"),
    key<&H::ping_timeout>("ping_timeout", "without an answer by then the connection is given up"),
};

// In the order of their enumerators.
constexpr std::array kProxyProtocols{"off", "v1", "v2"};

void decode_proxy_protocol(Problems& problems, const Node& node, U& out) {
  if (!expect(problems, node, Node::Kind::kString, "a version", "write \"v1\" or \"v2\", or delete the key")) return;
  const int word = decode_word(problems, node, {kProxyProtocols.begin(), kProxyProtocols.end()});
  if (word >= 0) out.proxy_protocol = static_cast<upstream::ProxyProtocol>(word);
}

constexpr Key<U> kUpstream[] = {
    special<U>("servers", "array of addresses or { address, weight, priority, backup, max_connections }",
               "where requests go: \"10.0.0.1:8001\", \"name:8001\", \"unix:/run/app.sock\", "
               "\"srv:_http._tcp.shop.internal\" or "
               "\"file:/etc/shop.list\"",
               decode_servers),
    special<U>("discovery", "table", "of names and lists: refresh, min_ttl, max_ttl, family, required",
               decode_discovery),
    out_of<U>(kPolicies, {"balance", "string or table",
                          "p2c_ewma, round_robin, least_conn, random or hash; table: policy, key, load_factor",
                          decode_balance, render_balance}),
    key<&U::policy, &balance::PolicyOptions::slow_start>(
        "slow_start", "a server that comes back, or is added, gets a tenth of its share, and all of it after so long"),
    ranged<0, 100, &U::policy, &balance::PolicyOptions::panic_threshold>(
        "panic_threshold", "percent of the servers; if fewer are available, all are used; 0: only when none is"),
    special<U>("tls", "boolean or table",
               "speak TLS to the servers; table: verify, server_name, ca_file, min_version, cert, key",
               decode_upstream_tls),
    one_of<kUpstreamProtocols, &U::protocol>(
        "protocol", "\"http/1.1\", \"h2\" (by prior knowledge where tls is off), or \"auto\", what TLS agrees upon"),
    special<U>("http2", "table", "max_streams, stream_window, connection_window, ping_interval, ping_timeout",
               [](Problems& p, const Node& n, U& o) { decode_table<H>(p, n, "http2", kHttp2, o.http2); }),
    out_of<U>(
        kProxyProtocols,
        {"proxy_protocol", "string",
         "v1 or v2: begin each connection with a PROXY header that tells the client's address", decode_proxy_protocol,
         [](const U& o) { return quote_toml(kProxyProtocols[static_cast<std::size_t>(o.proxy_protocol)]); }}),
    special<U>(
        "pool", "table", "kept connections: max_idle, idle_timeout, lifetime, max_requests",
        [](Problems& p, const Node& n, U& o) { decode_table<upstream::PoolOptions>(p, n, "pool", kPool, o.pool); }),
    special<U>("health", "path, table or false",
               "checks of each server, whether requests come or not; table: [upstreams.NAME.health]", decode_health),
    special<U>("retry", "table or false",
               "attempts, on, methods, per_try_timeout, max_body, hedge, budget_percent, budget_min",
               [](Problems& p, const Node& n, U& o) { decode_retry(p, n, o.retry); }),
    special<U>(
        "sticky", "boolean or table",
        "a signed cookie keeps clients at their server as long as it lives: cookie, lifetime, secret, path, secure",
        decode_sticky),
    special<U>("ejection", "table or false",
               "leave a server alone that fails: by failures in a row, or worse than its peers", decode_ejection),
    special<U>("limits", "table", "max_connections, max_pending, max_requests, max_retries; error_percent",
               decode_limits),
    special<U>("queue", "table or false",
               "where requests wait while servers, or limits, are at their maximum: size, timeout", decode_queue),
    key<&U::connect_timeout>("connect_timeout", "TCP"),
    key<&U::handshake_timeout>("handshake_timeout", "TLS"),
    key<&U::response_timeout>("response_timeout", "request sent to response head"),
    key<&U::body_timeout>("body_timeout", "longest silence inside a response body"),
    key<&U::send_timeout>("send_timeout", "longest time the server takes nothing of a request"),
    sized<1024, 1024 * 1024, &U::head, &http::HeadLimits::head>("max_head", "status line and headers; over: 502"),
    ranged<1, kIntegerMax, &U::head, &http::HeadLimits::fields>("max_fields", "header lines; over: 502"),
};

}  // namespace

Keys<upstream::Options> upstream_keys() { return kUpstream; }
Keys<balance::EndpointOptions> endpoint_keys() { return kEndpoint; }
Keys<upstream::Http2Options> upstream_http2_keys() { return kHttp2; }
Keys<upstream::PoolOptions> pool_keys() { return kPool; }
Keys<net::TlsClientOptions> upstream_tls_keys() { return kTls; }

}  // namespace rproxy::config
