#include "proxy/route_handler.h"

#include "exchange/error_page.h"

namespace rproxy::proxy {
namespace {

net::Task<Result<exchange::Response>> not_found(exchange::Request& request) {
  co_return exchange::error_response(request, 404);
}

}  // namespace

net::Task<Result<exchange::Response>> RouteHandler::handle(exchange::Request& request) {
  identity_.establish(request);
  const auto found = match(request);
  if (!found) return not_found(request);
  request.trace.route = routes_[*found].name;
  return routes_[*found].chain->handle(request);
}

std::optional<std::size_t> RouteHandler::match(exchange::Request& request) const {
  if (request.head.path != "*") return router_.match(request.head, request.client_ip);
  // OPTIONS * asks about the server as a whole (RFC 9110 9.3.7): the route of "/" stands for it.
  request.head.path = "/";
  const auto found = router_.match(request.head, request.client_ip);
  request.head.path = "*";
  return found;
}

}  // namespace rproxy::proxy
