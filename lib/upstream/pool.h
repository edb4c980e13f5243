// One worker's view of one upstream: whom to ask next, of the endpoints it has just now, and the connections to each.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "balance/policy.h"
#include "upstream/endpoint_pool.h"
#include "upstream/hedges.h"
#include "upstream/retry_budget.h"

namespace rproxy::upstream {

class Pool {
 public:
  // `loop` outlives the pool. Of `previous`, a pool of the same upstream before a reload, it shares the connections to endpoints that are
  // still there, as far as they are made in the same way.
  Pool(net::Loop& loop, Reach reach, std::uint64_t seed, const Pool* previous = nullptr);
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  const Upstream& upstream() const { return *reach_.upstream; }
  const Options& options() const { return upstream().options(); }
  RetryBudget& budget() { return budget_; }
  Hedges& hedges() { return hedges_; }

  balance::CircuitBreaker& breaker() { return upstream().capacity().breaker; }
  PlaceQueue& queue() { return upstream().capacity().queue; }

  // A place at the endpoint that takes the next request, which `client` (null: us) needs a connection for. Errors: kNoEndpoint where all
  // have been tried, kOverloaded where it would have to wait for room.
  Result<Place> pick(const balance::PickRequest& request, const exchange::Client* client = nullptr);
  // A place at that endpoint; nothing where it has gone, or there is no room.
  std::optional<Place> pick(const Endpoint& endpoint, const exchange::Client* client = nullptr);
  // Those there are just now.
  const EndpointSet& endpoints();
  // Of the endpoints there are just now.
  EndpointPool& at(std::size_t index) { return *pools_[index]; }

  // Called about once a second.
  void sweep(TimePoint now);
  void close_idle();
  // After a reload: closes what its successor does not share.
  void retire();
  // Of connections that nobody uses, HTTP/2's included.
  std::size_t idle_count() const;

 private:
  using EndpointPools = std::vector<std::shared_ptr<EndpointPool>>;

  void adopt(const EndpointPools& known);
  // The set has been replaced.
  void update();
  using Permit = std::optional<balance::CircuitBreaker::Permit>;
  bool may_connect(EndpointPool& pool, const exchange::Client* client, Permit& permit);
  // Errors: as pick().
  Result<Place> take(EndpointPool& pool, const exchange::Client* client);

  net::Loop& loop_;
  const Reach reach_;
  const std::uint64_t seed_;
  RetryBudget budget_;
  Hedges hedges_;
  EndpointSetPtr set_;
  EndpointPools pools_;    // in the order of the set
  EndpointPools leaving_;  // not in the set any more, but in use
  std::unique_ptr<balance::Policy> policy_;
};

}  // namespace rproxy::upstream
