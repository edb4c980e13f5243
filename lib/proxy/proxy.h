// The end of a route's chain: picks an endpoint, tries, and tries another as long as that is safe and within budget.
#pragma once

#include <cstddef>

#include "balance/policy.h"
#include "exchange/exchange.h"
#include "exchange/replay_body.h"
#include "proxy/options.h"
#include "proxy/response_head.h"
#include "proxy/time_limit.h"
#include "route/rewrite.h"
#include "upstream/pool.h"

namespace rproxy::proxy {

class Proxy final : public exchange::Handler {
 public:
  // What all workers share of one forwarding route.
  struct Plan {
    ForwardAction action;
    std::optional<route::Rewrite> rewrite;
    std::optional<BackendHider> hider;
  };

  // All outlive the handler.
  Proxy(const Plan& plan, const ForwardingOptions& forwarding, upstream::Pool& pool)
      : plan_(plan), forwarding_(forwarding), pool_(pool) {}

  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  struct Attempt {
    explicit Attempt(upstream::EndpointPool& pool) : at(pool) {}
    upstream::EndpointPool& at;
    bool on_reused = false;  // on a connection that had served before
    bool is_told = false;    // its failure is another's, who waited for the same connection
  };

  Result<void> prepare(exchange::Request& request) const;
  // The content in such a form, where another attempt may want it; else null.
  exchange::ReplayBody* make_repeatable(exchange::Request& request) const;
  net::Task<Result<exchange::Response>> try_endpoints(exchange::Request& request, const TimeLimit& limit);
  net::Task<Result<exchange::Response>> try_once(exchange::Request& request, upstream::Place place, Attempt& attempt,
                                                 bool fresh, const TimeLimit& limit);
  net::Task<Result<upstream::Lease>> connect(const exchange::Request& request, upstream::Place place, Attempt& attempt,
                                             const TimeLimit& limit);
  void record(balance::EndpointState& state, balance::Outcome outcome, std::chrono::nanoseconds latency,
              TimePoint now) const;
  bool may_retry(const exchange::Request& request, const Error& error, std::size_t attempts, bool is_free);
  void complain(const exchange::Request& request, const Error& error);
  void finish(exchange::Request& request, exchange::Response& response, const TimeLimit& limit) const;

  const Plan& plan_;
  const ForwardingOptions& forwarding_;
  upstream::Pool& pool_;
  TimePoint complained_;
  std::uint64_t untold_ = 0;
};

}  // namespace rproxy::proxy
