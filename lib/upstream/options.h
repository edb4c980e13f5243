// What an operator chooses about one upstream.
#pragma once

#include <bitset>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "balance/circuit_breaker.h"
#include "balance/endpoint.h"
#include "balance/policy.h"
#include "base/units.h"
#include "http/chunked.h"
#include "http/head_parser.h"
#include "http2/options.h"
#include "net/options.h"
#include "upstream/health_options.h"

namespace rproxy::upstream {

struct PoolOptions {
  std::size_t max_idle = 256;  // per endpoint and worker; 0: a new connection for every request
  Duration idle_timeout{60'000};
  Duration lifetime{0};            // 0: no limit
  std::uint64_t max_requests = 0;  // per connection; 0: no limit
  bool operator==(const PoolOptions&) const = default;
};

// After what a request is tried again.
struct RetryOn {
  bool connect_failure = true;  // no connection: refused, unreachable, too late, TLS
  bool refused_stream = true;   // the server says that it has done nothing of it
  bool reset = true;            // the connection or stream ended before an answer
  bool timeout = false;         // no answer within per_try_timeout or response_timeout
  std::bitset<600> statuses;
  bool operator==(const RetryOn&) const = default;
};

// A second try beside a first that takes long.
struct HedgeOptions {
  Duration after{0};       // 0: by the quantile
  double quantile = 0.95;  // of how long answers take
  std::uint32_t max = 16;  // at once, per worker
  bool operator==(const HedgeOptions&) const = default;
};

struct RetryOptions {
  std::uint32_t attempts = 3;         // in all, the first included
  std::uint32_t budget_percent = 20;  // retries as a share of requests in the last 10 s, per worker
  std::uint32_t budget_min = 10;      // always allowed in 10 s, whatever the share
  RetryOn on = {};
  std::vector<std::string> methods = {};  // that may be processed twice; empty: the idempotent ones (RFC 9110 9.2.2)
  Duration per_try_timeout{0};            // for an attempt to have an answer's head; 0: no limit of its own
  ByteSize max_body{65536};               // content kept for another attempt
  std::optional<HedgeOptions> hedge = {};
  bool operator==(const RetryOptions&) const = default;
};

// Where requests wait for which there is no room at an upstream.
struct QueueOptions {
  std::uint32_t size = 128;  // at once, over all workers; 0: they are refused at once
  Duration timeout{5'000};
  bool operator==(const QueueOptions&) const = default;
};

// Who waits goes in this order, and in that of arrival.
enum class QueuePriority : std::uint8_t { kHigh, kNormal, kLow };

// The cookie that keeps a client at its endpoint.
struct StickyOptions {
  std::string cookie = "rproxy_backend";
  Duration lifetime{0};  // 0: the browser's session
  std::string secret;    // empty: a random one, each start another
  std::string path = "/";
  bool secure = false;  // else only where the request came by https
  bool operator==(const StickyOptions&) const = default;
};

// What an endpoint is spoken to in. kAuto: what TLS agrees upon.
enum class Protocol : std::uint8_t { kHttp1, kHttp2, kAuto };

struct Http2Options {
  http2::Options protocol;
  Duration ping_interval{0};      // after so much silence while requests are under way; 0: only when one has timed out
  Duration ping_timeout{10'000};  // then the connection is given up
  bool operator==(const Http2Options&) const = default;
};

// What a connection begins with, to tell the endpoint whose it is.
enum class ProxyProtocol : std::uint8_t { kOff, kV1, kV2 };

// Servers that something else lists.
struct ServerSource {
  enum class Kind : std::uint8_t { kSrv, kFile };
  Kind kind = Kind::kSrv;
  std::string name;            // "_http._tcp.shop.internal", or a path
  std::uint32_t priority = 0;  // of those that the source puts first
  bool operator==(const ServerSource&) const = default;
};

// How servers that have names, or are listed elsewhere, are kept up to date.
struct DiscoveryOptions {
  Duration refresh{0};        // names are asked for again so often; 0: when their answer's TTL is over...
  Duration min_ttl{1'000};    // ...but not before this...
  Duration max_ttl{300'000};  // ...nor later than this
  net::AddressFamily family = net::AddressFamily::kAny;
  bool required = false;  // what can't be found at start is an error; else a warning, and tried again
};

struct Options {
  std::string name;
  std::vector<balance::EndpointOptions> endpoints;
  std::vector<ServerSource> sources;  // further endpoints
  DiscoveryOptions discovery;
  balance::PolicyOptions policy;
  balance::EjectionOptions ejection;
  balance::LimitOptions limits;
  QueueOptions queue;
  PoolOptions pool;
  RetryOptions retry;
  std::optional<HealthOptions> health;  // nothing: not checked
  std::optional<StickyOptions> sticky;
  net::TlsClientOptions tls;
  Protocol protocol = Protocol::kHttp1;
  Http2Options http2;
  ProxyProtocol proxy_protocol = ProxyProtocol::kOff;
  http::HeadLimits head;
  http::ChunkLimits chunks;
  Duration connect_timeout{3'000};
  Duration handshake_timeout{5'000};
  Duration response_timeout{60'000};  // request sent to response head
  Duration body_timeout{60'000};      // longest silence inside a response body
  Duration send_timeout{30'000};      // longest time the endpoint takes nothing of a request
};

}  // namespace rproxy::upstream
