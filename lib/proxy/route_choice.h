// Which route a request goes to: what the router says, less what would be told otherwise to a server that decodes more than we do.
#pragma once

#include <cstddef>
#include <optional>

#include "exchange/exchange.h"
#include "http/path.h"
#include "route/router.h"

namespace rproxy::proxy {

struct RouteChoice {
  std::optional<std::size_t> route;  // nothing: 404
  bool is_disguised = false;         // a server that reads "%2F" as a slash would see another route's path: 400
};

// `paths` is how the request's path was normalised. Leaves the request as it was; may take of its arena.
RouteChoice choose_route(const route::Router& router, const http::PathPolicy& paths, exchange::Request& request);

}  // namespace rproxy::proxy
