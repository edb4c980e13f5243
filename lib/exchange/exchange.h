// The words everything above speaks: a request with its pulled body goes down a chain of handlers, a response with its pulled body comes
// back. No HTTP version shows here.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/arena.h"
#include "base/result.h"
#include "base/units.h"
#include "exchange/body.h"
#include "exchange/client_certificate.h"
#include "http/message.h"
#include "metrics/series.h"
#include "net/loop.h"
#include "net/peer.h"
#include "net/proxy_protocol.h"

namespace rproxy::exchange {

// Who is at the other end; one per client connection. What a PROXY header says of the client goes over what the connection itself shows.
struct Client {
  net::Peer peer;
  net::Peer local;                                 // where it came to; unset where nobody asked for it
  const net::ProxyHeader* proxy_header = nullptr;  // lives as long as the connection
  std::string_view scheme = "http";
  std::string_view tls_version;  // "TLSv1.3"; empty: plain
  std::string_view tls_cipher;
  std::string_view server_name;  // SNI
  // Verified; lives as long as the connection. Null: none was asked for, or shown.
  const ClientCertificate* certificate = nullptr;
};

// What happened to one exchange, filled in by whoever knows and read by the access log. Names are views of the configuration.
struct Trace {
  std::chrono::system_clock::time_point wall_time;
  TimePoint start;                        // head complete
  std::chrono::microseconds connect{-1};  // -1: did not happen
  std::chrono::microseconds upstream_first_byte{-1};
  std::chrono::microseconds first_byte{-1};
  std::string_view route;
  metrics::RouteSeries* series = nullptr;  // the route's, of this worker; null: no route, or nobody counts
  std::string_view upstream;
  std::string_view endpoint;
  std::string_view cache;
  std::string_view request_id;
  std::uint32_t retries = 0;
  std::uint16_t upstream_status = 0;
  std::int32_t grpc_status = -1;  // of the answer, where that is known; -1: none
  bool failed = false;            // the answer is ours, or was cut short
  std::string_view termination;   // of a failure that a handler has made a page of; termination_of()
};

// Takes interim (1xx) responses while the final one is being made. May change the head.
class InterimSink {
 public:
  virtual net::Task<Result<void>> interim(http::ResponseHead& head) = 0;

 protected:
  ~InterimSink() = default;
};

struct Request {
  http::RequestHead head;
  Body* body = nullptr;  // null: no content
  // What handlers have put in front of the client's content, one before the other, as long as somebody may read it.
  std::vector<std::unique_ptr<Body>> bodies_in_between;
  const Client* client = nullptr;
  Arena* arena = nullptr;  // for text that must live as long as the exchange
  net::Loop* loop = nullptr;
  InterimSink* interim = nullptr;  // null: the client can't take any (HTTP/1.0)
  Trace trace;
  // The path as the client asked for it (normalised); handlers change head.path.
  std::string_view client_path;
  std::string_view client_authority;
  // The client's address as far as it can be trusted; rules and logs use this one.
  IpAddress client_ip;
  std::string_view
      strict_transport;   // Strict-Transport-Security of the answer (RFC 6797), whatever becomes of it; empty: none
  bool is_early = false;  // may be somebody's replay of it (RFC 8470)
  bool from_trusted_proxy = false;  // the peer's own forwarding fields are believed
  // Made for all who want the same: nothing in the answer may be meant for one client alone.
  bool is_for_many = false;
};

struct Response {
  http::ResponseHead head;
  std::unique_ptr<Body> body;      // null: no content
  std::unique_ptr<Tunnel> tunnel;  // with 101, or a 2xx to CONNECT
  bool close = false;              // the client connection must not be used again
};

class Handler {
 public:
  Handler() = default;
  Handler(const Handler&) = delete;
  Handler& operator=(const Handler&) = delete;
  virtual ~Handler() = default;
  // Destroying the task at any point abandons the exchange. Errors become error pages where the chain begins.
  virtual net::Task<Result<Response>> handle(Request& request) = 0;
};

// The end of an exchange, as the side that talks to the client saw it.
struct Outcome {
  std::uint16_t status = 0;
  std::uint64_t bytes_received = 0;  // head and content as on the wire
  std::uint64_t bytes_sent = 0;
  std::uint64_t body_bytes_sent = 0;
  std::string_view termination = "ok";  // a stable word: "ok", "client_closed", "upstream_truncated", ...
};

class Observer {
 public:
  virtual void finished(const Request& request, const Outcome& outcome) = 0;

 protected:
  ~Observer() = default;
};

}  // namespace rproxy::exchange
