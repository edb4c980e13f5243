// One worker's connections to one endpoint: of HTTP/1 idle ones that are kept, of HTTP/2 such as take more requests, and leases on those
// in use.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "exchange/exchange.h"
#include "net/connect.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/task.h"
#include "net/task_group.h"
#include "net/tls_context.h"
#include "net/wait_queue.h"
#include "upstream/http2_link.h"
#include "upstream/lease.h"
#include "upstream/upstream.h"

namespace rproxy::upstream {

// How endpoints are reached. The context is null where that is without TLS.
struct Reach {
  std::shared_ptr<const Upstream> upstream;
  std::shared_ptr<net::TlsClientContext> tls;
  net::Connect connect = net::connect;
};

class EndpointPool final : private net::Poller::Watcher {
 public:
  // `loop` outlives the pool, and the pool its leases.
  EndpointPool(net::Loop& loop, const Reach& reach, EndpointPtr endpoint);
  EndpointPool(const EndpointPool&) = delete;
  EndpointPool& operator=(const EndpointPool&) = delete;
  ~EndpointPool();

  Endpoint& endpoint() const { return *endpoint_; }
  // This worker's.
  metrics::EndpointSeries& series() const { return series_; }
  const EndpointPtr& shared_endpoint() const { return endpoint_; }
  const Options& options() const { return reach_.upstream->options(); }
  Capacity& capacity() const { return reach_.upstream->capacity(); }

  // `client` is whom a PROXY header tells of, where the upstream gets one; null: us. It outlives the call.

  // A connection that takes a request at once and is alive as far as is known; nothing, and the place stays where it is, where there is
  // none. One that began with a PROXY header serves only whom that header tells of.
  std::optional<Lease> acquire_idle(Place& place, const exchange::Client* client = nullptr);
  // A new connection, PROXY header and TLS included, or a share of one of HTTP/2 that all who wait for it get. Errors as of
  // net::connect() and Stream::write(), and kTlsHandshake, kTlsVerify, kHandshakeTimeout; kOverloaded where the upstream may have no more.
  net::Task<Result<Lease>> connect(Place place, const exchange::Client* client = nullptr);

  // Kept connections that ended just as they were used, since the last answer: a few are chance, more are an outage.
  std::uint32_t surprises() const { return surprises_; }
  void note_surprise() { ++surprises_; }
  void forget_surprises() { surprises_ = 0; }

  // Whether a request would be the cause of another connection.
  bool needs_connection(const exchange::Client* client) const;

  // After a failure of connect(): whether it is one that nobody has asked about yet. All who waited for a connection fail with it, but the
  // endpoint has failed once.
  bool take_failure() { return std::exchange(has_failed_, false); }

  // Closes what has been idle, or alive, for too long. Called about once a second.
  void sweep(TimePoint now);
  void close_idle();
  // That nobody uses, the oldest; whether it has gone: one of HTTP/2 takes a while to.
  bool close_one_idle();
  // No connection is kept from now on.
  void close() {
    keeps_ = false;
    close_idle();
  }
  // Of connections that nobody uses, HTTP/2's included.
  std::size_t idle_count() const;
  bool is_used() const { return places_ > 0; }

 private:
  friend class Place;
  friend class Lease;
  friend class Http2Link;

  // A connection on its way that any number of requests wait for.
  struct Opening {
    net::WaitQueue waiters;
    std::optional<Error> error;
  };
  struct Opened {
    net::StreamPtr stream;
    bool is_http2 = false;
  };

  net::Task<Result<Opened>> open_stream(std::string_view header);
  net::Task<Result<Lease>> make_alone(Place place, std::string header);
  net::Task<Result<Lease>> connect_alone(Place place, std::string header);
  net::Task<Result<Lease>> join_link(Place place);
  net::Task<void> open_link(std::shared_ptr<Opening> opening, ConnectionPermit permit);
  std::optional<Lease> lease_link(Place& place);
  Http2Link& add_link(net::StreamPtr stream, ConnectionPermit permit);
  Result<ConnectionPermit> permit_for(Place& place) const;
  // It is dead and nobody uses it; destroyed at the end of the round, for it may be at work yet.
  void bury(Http2Link& link);
  void on_ready(std::uint32_t events) override;

  void give_back(std::unique_ptr<Connection> connection);
  net::Task<Result<void>> introduce(net::Stream& stream, std::string_view client_header);
  bool has_to_share() const;
  bool may_be_kept(const Connection& connection, TimePoint now) const;
  std::unique_ptr<Connection> unlink(Connection& connection);
  static void on_idle_end(void* connection);

  net::Loop& loop_;
  const Reach reach_;
  const EndpointPtr endpoint_;
  metrics::EndpointSeries& series_;
  std::size_t places_ = 0;
  std::uint32_t surprises_ = 0;
  bool keeps_ = true;
  Connection* newest_ = nullptr;
  Connection* oldest_ = nullptr;
  std::size_t idle_ = 0;
  std::vector<std::unique_ptr<Http2Link>> links_;
  std::shared_ptr<Opening> opening_;
  bool agreed_on_http1_ = false;  // by the last handshake, where that decides
  bool has_failed_ = false;       // and nobody was told
  std::vector<std::unique_ptr<Http2Link>> buried_;
  net::TaskGroup openings_;
};

}  // namespace rproxy::upstream
