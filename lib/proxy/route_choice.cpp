#include "proxy/route_choice.h"

namespace rproxy::proxy {
namespace {

std::optional<std::size_t> match(const route::Router& router, exchange::Request& request) {
  if (request.head.path != "*") return router.match(request.head, request.client_ip);
  // OPTIONS * asks about the server as a whole (RFC 9110 9.3.7): the route of "/" stands for it.
  request.head.path = "/";
  const auto found = router.match(request.head, request.client_ip);
  request.head.path = "*";
  return found;
}

// Whether a server that reads "%2F" as a slash would see a path that belongs to another route, or to none.
bool is_disguised(const route::Router& router, const http::PathPolicy& paths, exchange::Request& request,
                  std::optional<std::size_t> found) {
  const auto path = request.head.path;
  if (paths.encoded_slash != http::PathPolicy::EncodedSlash::kGuard || path.find('%') == path.npos) return false;
  if (path.find("%2F") == path.npos && path.find("%5C") == path.npos) return false;
  const http::PathPolicy decoding{http::PathPolicy::Slashes::kMerge, http::PathPolicy::EncodedSlash::kDecode};
  const auto decoded = http::normalize_path(path, decoding, *request.arena);
  if (!decoded) return true;
  request.head.path = *decoded;
  const bool is_other = match(router, request) != found;
  request.head.path = path;
  return is_other;
}

}  // namespace

RouteChoice choose_route(const route::Router& router, const http::PathPolicy& paths, exchange::Request& request) {
  const auto found = match(router, request);
  return {found, is_disguised(router, paths, request, found)};
}

}  // namespace rproxy::proxy
