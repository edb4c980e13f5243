#include "proxy/route_handler.h"

#include "exchange/error_page.h"

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
  const auto found = match(request);
  if (is_disguised(request, found)) return disguised();
  if (!found) return not_found(request);
  const Route& route = routes_[*found];
  request.trace.route = route.name;
  request.trace.series = route.series;
  return route.chain->handle(request);
}

// Whether a server that reads "%2F" as a slash would see a path that belongs to another route, or to none.
bool RouteHandler::is_disguised(exchange::Request& request, std::optional<std::size_t> found) const {
  const auto path = request.head.path;
  if (paths_.encoded_slash != http::PathPolicy::EncodedSlash::kGuard || path.find('%') == path.npos) return false;
  if (path.find("%2F") == path.npos && path.find("%5C") == path.npos) return false;
  const http::PathPolicy decoding{http::PathPolicy::Slashes::kMerge, http::PathPolicy::EncodedSlash::kDecode};
  const auto decoded = http::normalize_path(path, decoding, *request.arena);
  if (!decoded) return true;
  request.head.path = *decoded;
  const bool is_other = match(request) != found;
  request.head.path = path;
  return is_other;
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
