// The end of a route's chain: makes the request the upstream's, has it answered, and makes the answer the client's.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "exchange/exchange.h"
#include "proxy/mirror.h"
#include "proxy/options.h"
#include "proxy/response_head.h"
#include "proxy/split.h"
#include "proxy/sticky.h"
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
    std::vector<BackendHider> hiders;  // one for each target; empty: backends are not hidden
  };

  // All outlive the handler. `targets`: the route's upstream, or those of its split in their order; `shadow`: that of its mirror, or null.
  Proxy(const Plan& plan, const ForwardingOptions& forwarding, const std::vector<upstream::Pool*>& targets,
        upstream::Pool* shadow, std::uint64_t seed);
  Proxy(const Plan& plan, const ForwardingOptions& forwarding, upstream::Pool& pool)
      : Proxy(plan, forwarding, {&pool}, nullptr, 0) {}

  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  struct Target {
    upstream::Pool* pool;
    std::unique_ptr<StickyCookies> sticky;  // null: clients belong to nobody
    const BackendHider* hider;              // null: there is nothing to hide
  };

  Result<void> prepare(exchange::Request& request) const;
  net::Task<Result<exchange::Response>> ask(exchange::Request& request, Target& target, const TimeLimit& limit,
                                            std::uint64_t hash);
  void complain(const exchange::Request& request, const Error& error);
  void finish(exchange::Request& request, exchange::Response& response, const Target& target,
              const TimeLimit& limit) const;

  const Plan& plan_;
  const ForwardingOptions& forwarding_;
  std::vector<Target> targets_;
  std::optional<Split> split_;
  std::optional<Mirror> mirror_;
  TimePoint complained_;
  std::uint64_t untold_ = 0;
};

}  // namespace rproxy::proxy
