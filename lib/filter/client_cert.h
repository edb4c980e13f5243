// Lets those by whose certificate the route's rule allows; 403 for all others.
#pragma once

#include <memory>
#include <utility>

#include "exchange/exchange.h"
#include "filter/client_cert_rule.h"

namespace rproxy::filter {

class ClientCert final : public exchange::Handler {
 public:
  // `rule` outlives it.
  ClientCert(const ClientCertRule& rule, std::unique_ptr<exchange::Handler> next)
      : rule_(rule), next_(std::move(next)) {}

  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  const ClientCertRule& rule_;
  std::unique_ptr<exchange::Handler> next_;
};

}  // namespace rproxy::filter
