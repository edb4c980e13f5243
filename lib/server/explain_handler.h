// Tells an allowed peer what would be done with its request, in the place of doing it.
#pragma once

#include "check/explain.h"
#include "config/config.h"
#include "exchange/exchange.h"

namespace rproxy::server {

class ExplainHandler final : public exchange::Handler {
 public:
  // All outlive the handler; `listener` is the one that its requests come by.
  ExplainHandler(const config::ExplainHeader& options, const check::Explainer& explainer,
                 const config::Listener& listener, exchange::Handler& next)
      : options_(options), explainer_(explainer), listener_(listener), next_(next) {}

  // A request with the header, from a peer that may ask, is answered by its explanation: text, or JSON where that is preferred. Of any
  // other the header is taken away: it is none of the servers' business.
  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  bool may_ask(const exchange::Request& request) const;
  exchange::Response explain(exchange::Request& request) const;
  net::Task<Result<exchange::Response>> answer(exchange::Request& request) const;

  const config::ExplainHeader& options_;
  const check::Explainer& explainer_;
  const config::Listener& listener_;
  exchange::Handler& next_;
};

}  // namespace rproxy::server
