// One worker's connections to one upstream: of HTTP/1 idle ones kept per endpoint, of HTTP/2 such as take more requests, and leases on
// those in use.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "balance/policy.h"
#include "base/result.h"
#include "exchange/exchange.h"
#include "net/connect.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/task.h"
#include "net/task_group.h"
#include "net/tls_context.h"
#include "net/wait_queue.h"
#include "upstream/hedges.h"
#include "upstream/http2_link.h"
#include "upstream/retry_budget.h"
#include "upstream/upstream.h"

namespace rproxy::upstream {

class Pool;

// One HTTP/1 connection to an endpoint, idle in its pool or held by a Lease.
class Connection : public net::Pooled {
 public:
  Connection(Pool& pool, std::size_t endpoint, net::StreamPtr stream, std::string client_header)
      : pool_(pool),
        endpoint_(endpoint),
        stream_(std::move(stream)),
        client_header_(std::move(client_header)),
        created_(stream_->loop().now()) {}

  net::Stream& stream() { return *stream_; }

 private:
  friend class Pool;
  friend class Lease;

  Pool& pool_;
  std::size_t endpoint_;
  net::StreamPtr stream_;
  std::string client_header_;  // the PROXY header it began with: who may use it; empty: anybody
  TimePoint created_;
  TimePoint idle_since_;
  std::uint64_t requests_ = 0;
  Connection* newer_ = nullptr;  // neighbours in the idle list
  Connection* older_ = nullptr;
};

// The right to use a connection for one exchange: an HTTP/1 one alone, which goes back to the pool if keep() was called and is closed
// otherwise, or a place on an HTTP/2 one. Counts as one request in flight at its endpoint as long as it lives.
class Lease {
 public:
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) = delete;
  ~Lease();

  // HTTP/1's.
  net::Stream& stream() { return connection_->stream(); }
  // HTTP/2's; null: it is not.
  Http2Link* link() const { return link_; }
  // False for the first request on the connection.
  bool is_reused() const { return reused_; }
  Endpoint& endpoint() const { return *endpoint_; }
  // The exchange ended cleanly: the connection may serve another.
  void keep() { keep_ = true; }

 private:
  friend class Pool;
  Lease(std::unique_ptr<Connection> connection, Endpoint& endpoint);
  Lease(Http2Link& link, Endpoint& endpoint);

  std::unique_ptr<Connection> connection_;
  Http2Link* link_ = nullptr;
  Endpoint* endpoint_;  // null: moved from
  bool reused_ = false;
  bool keep_ = false;
};

class Pool final : private net::Poller::Watcher {
 public:
  // `loop` and `upstream` outlive the pool, and the pool its leases.
  Pool(net::Loop& loop, const Upstream& upstream, net::TlsClientContext* tls, std::uint64_t seed,
       net::Connect connect = net::connect);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;
  ~Pool();

  const Upstream& upstream() const { return upstream_; }
  const Options& options() const { return upstream_.options(); }
  std::optional<std::size_t> pick(const balance::TriedSet& tried, TimePoint now) { return policy_->pick(tried, now); }
  Endpoint& endpoint(std::size_t index) const { return *upstream_.endpoints()[index]; }
  RetryBudget& budget() { return budget_; }
  Hedges& hedges() { return hedges_; }

  // `client` is whom a PROXY header tells of, where the upstream gets one; null: us. It outlives the call.

  // A connection that takes a request at once and is alive as far as is known; nothing where there is none. One that began with a PROXY
  // header serves only whom that header tells of.
  std::optional<Lease> acquire_idle(std::size_t endpoint, const exchange::Client* client = nullptr);
  // A new connection, PROXY header and TLS included, or a place on one of HTTP/2 that all who wait for it share. Errors as of
  // net::connect() and Stream::write(), and kTlsHandshake, kTlsVerify, kHandshakeTimeout.
  net::Task<Result<Lease>> connect(std::size_t endpoint, const exchange::Client* client = nullptr);

  // After a failure of connect(): whether it is one that nobody has asked about yet. All who waited for a connection fail with it, but the
  // endpoint has failed once.
  bool take_failure(std::size_t endpoint) { return std::exchange(links_[endpoint].has_failed, false); }

  // Closes what has been idle, or alive, for too long. Called about once a second.
  void sweep(TimePoint now);
  void close_idle();
  // Of connections that nobody uses, HTTP/2's included.
  std::size_t idle_count() const;

 private:
  friend class Lease;
  friend class Http2Link;
  struct IdleList {
    Connection* newest = nullptr;
    Connection* oldest = nullptr;
    std::size_t size = 0;
  };

  // A connection on its way that any number of requests wait for.
  struct Opening {
    net::WaitQueue waiters;
    std::optional<Error> error;
  };
  struct Links {
    std::vector<std::unique_ptr<Http2Link>> all;
    std::shared_ptr<Opening> opening;
    bool agreed_on_http1 = false;  // by the last handshake, where that decides
    bool has_failed = false;       // and nobody was told
  };
  struct Opened {
    net::StreamPtr stream;
    bool is_http2 = false;
  };

  net::Task<Result<Opened>> open_stream(std::size_t endpoint, std::string_view header);
  net::Task<Result<Lease>> make_alone(std::size_t endpoint, std::string header);
  net::Task<Result<Lease>> connect_alone(std::size_t endpoint, std::string header);
  net::Task<Result<Lease>> join_link(std::size_t endpoint);
  net::Task<void> open_link(std::size_t endpoint, std::shared_ptr<Opening> opening);
  std::optional<Lease> lease_link(std::size_t endpoint);
  Http2Link& add_link(std::size_t endpoint, net::StreamPtr stream);
  // It is dead and nobody uses it; destroyed at the end of the round, for it may be at work yet.
  void bury(Http2Link& link);
  void on_ready(std::uint32_t events) override;

  void give_back(std::unique_ptr<Connection> connection);
  net::Task<Result<void>> introduce(net::Stream& stream, std::string_view client_header);
  bool may_be_kept(const Connection& connection, TimePoint now) const;
  std::unique_ptr<Connection> unlink(Connection& connection);
  static void on_idle_end(void* connection);

  net::Loop& loop_;
  const Upstream& upstream_;
  net::TlsClientContext* tls_;
  net::Connect connect_;
  std::unique_ptr<balance::Policy> policy_;
  RetryBudget budget_;
  Hedges hedges_;
  std::vector<IdleList> idle_;
  std::vector<Links> links_;
  std::vector<std::unique_ptr<Http2Link>> buried_;
  net::TaskGroup openings_;
};

}  // namespace rproxy::upstream
