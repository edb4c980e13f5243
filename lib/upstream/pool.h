// One worker's connections to one upstream: idle ones kept per endpoint, and leases on those in use.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "balance/policy.h"
#include "base/result.h"
#include "net/connect.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/task.h"
#include "net/tls_context.h"
#include "upstream/retry_budget.h"
#include "upstream/upstream.h"

namespace rproxy::upstream {

class Pool;

// One connection to an endpoint, idle in its pool or held by a Lease.
class Connection : public net::Pooled {
 public:
  Connection(Pool& pool, std::size_t endpoint, net::StreamPtr stream)
      : pool_(pool), endpoint_(endpoint), stream_(std::move(stream)), created_(stream_->loop().now()) {}

  net::Stream& stream() { return *stream_; }
  // False for the first request on it.
  bool is_reused() const { return requests_ > 1; }

 private:
  friend class Pool;
  friend class Lease;

  Pool& pool_;
  std::size_t endpoint_;
  net::StreamPtr stream_;
  TimePoint created_;
  TimePoint idle_since_;
  std::uint64_t requests_ = 0;
  Connection* newer_ = nullptr;  // neighbours in the idle list
  Connection* older_ = nullptr;
};

// The right to use a connection for one exchange. Goes back to the pool if keep() was called, and is closed otherwise; counts as one
// request in flight at its endpoint as long as it lives.
class Lease {
 public:
  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) = delete;
  ~Lease();

  net::Stream& stream() { return connection_->stream(); }
  bool is_reused() const { return connection_->is_reused(); }
  Endpoint& endpoint() const { return *endpoint_; }
  // The exchange ended cleanly: the connection may serve another.
  void keep() { keep_ = true; }

 private:
  friend class Pool;
  Lease(std::unique_ptr<Connection> connection, Endpoint& endpoint);

  std::unique_ptr<Connection> connection_;
  Endpoint* endpoint_;
  bool keep_ = false;
};

class Pool {
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

  // An idle connection that is alive as far as is known; nothing where there is none.
  std::optional<Lease> acquire_idle(std::size_t endpoint);
  // A new connection, TLS included. Errors as of net::connect(), and kTlsHandshake, kTlsVerify, kHandshakeTimeout; these timeouts are the
  // upstream's, cut short where they go beyond `end`.
  net::Task<Result<Lease>> connect(std::size_t endpoint, TimePoint end = TimePoint::max());

  // Closes what has been idle, or alive, for too long. Called about once a second.
  void sweep(TimePoint now);
  void close_idle();
  std::size_t idle_count() const;

 private:
  friend class Lease;
  struct IdleList {
    Connection* newest = nullptr;
    Connection* oldest = nullptr;
    std::size_t size = 0;
  };

  void give_back(std::unique_ptr<Connection> connection);
  bool may_be_kept(const Connection& connection, TimePoint now) const;
  std::unique_ptr<Connection> unlink(Connection& connection);
  static void on_idle_end(void* connection);

  net::Loop& loop_;
  const Upstream& upstream_;
  net::TlsClientContext* tls_;
  net::Connect connect_;
  std::unique_ptr<balance::Policy> policy_;
  RetryBudget budget_;
  std::vector<IdleList> idle_;
};

}  // namespace rproxy::upstream
