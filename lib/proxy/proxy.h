// The end of a route's chain: makes the request the upstream's, has it answered, and makes the answer the client's.
#pragma once

#include <cstdint>
#include <optional>

#include "exchange/exchange.h"
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
  Result<void> prepare(exchange::Request& request) const;
  void complain(const exchange::Request& request, const Error& error);
  void finish(exchange::Request& request, exchange::Response& response, const TimeLimit& limit) const;

  const Plan& plan_;
  const ForwardingOptions& forwarding_;
  upstream::Pool& pool_;
  TimePoint complained_;
  std::uint64_t untold_ = 0;
};

}  // namespace rproxy::proxy
