#include "proxy/route_handler.h"

#include "exchange/error_page.h"
#include "proxy/route_choice.h"

namespace rproxy::proxy {
namespace {

net::Task<Result<exchange::Response>> not_found(exchange::Request& request) {
  co_return exchange::error_response(request, 404);
}

net::Task<Result<exchange::Response>> disguised() {
  co_return fail(ErrorCode::kBadRequest, Side::kClient, Retry::kNever, "an encoded slash leads to another route");
}

}  // namespace

net::Task<Result<exchange::Response>> RouteHandler::handle(exchange::Request& request) {
  identity_.establish(request);
  const RouteChoice choice = choose_route(router_, paths_, request);
  if (choice.is_disguised) return disguised();
  if (!choice.route) return not_found(request);
  const Route& route = routes_[*choice.route];
  request.trace.route = route.name;
  request.trace.series = route.series;
  return route.chain->handle(request);
}

}  // namespace rproxy::proxy
