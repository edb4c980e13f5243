#include "proxy/route_handler.h"

#include "exchange/error_page.h"
#include "proxy/route_choice.h"

namespace rproxy::proxy {
namespace {

net::Task<Result<exchange::Response>> not_found(exchange::Request& request) {
  co_return exchange::error_response(request, 404);
}

// RFC 8470 5.2: the client asks again when the handshake is complete.
net::Task<Result<exchange::Response>> too_early(exchange::Request& request) {
  co_return exchange::error_response(request, 425);
}

net::Task<Result<exchange::Response>> disguised() {
  co_return fail(ErrorCode::kBadRequest, Side::kClient, Retry::kNever, "an encoded slash leads to another route");
}

}  // namespace

net::Task<Result<exchange::Response>> RouteHandler::handle(exchange::Request& request) {
  identity_.establish(request);
  if (request.is_early) {
    if (!http::is_safe(request.head.method_id)) return too_early(request);
    request.head.fields.set(http::FieldId::kEarlyData, "1");
  }
  const RouteChoice choice = choose_route(router_, paths_, request);
  if (choice.is_disguised) return disguised();
  if (!choice.route) return not_found(request);
  const Route& route = routes_[*choice.route];
  request.trace.route = route.name;
  request.trace.series = route.series;
  // RFC 6797 7.2: not over what anybody could have changed.
  if (request.client->scheme == "https") request.strict_transport = route.strict_transport;
  return route.chain->handle(request);
}

}  // namespace rproxy::proxy
