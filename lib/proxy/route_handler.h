// The first handler: who is asking, and which route answers.
#pragma once

#include <memory>
#include <vector>

#include "exchange/exchange.h"
#include "http/path.h"
#include "proxy/client_identity.h"
#include "route/router.h"

namespace rproxy::proxy {

class RouteHandler final : public exchange::Handler {
 public:
  struct Route {
    std::string_view name;
    std::unique_ptr<exchange::Handler> chain;
    metrics::RouteSeries* series = nullptr;  // outlives the handler; null: nobody counts
    std::string_view strict_transport;       // of answers over TLS; empty: none
  };

  // routes[i] answers what `router` gives to rule i. `router`, `options` and the names outlive the handler. `paths` is how the paths
  // were normalised.
  RouteHandler(const route::Router& router, const ForwardingOptions& options, std::vector<Route> routes,
               const http::PathPolicy& paths = {})
      : router_(router), identity_(options), routes_(std::move(routes)), paths_(paths) {}

  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  const route::Router& router_;
  ClientIdentity identity_;
  std::vector<Route> routes_;
  http::PathPolicy paths_;
};

}  // namespace rproxy::proxy
