#include "proxy/fixed_answers.h"

#include <memory>

#include "exchange/error_page.h"
#include "exchange/string_body.h"

namespace rproxy::proxy {

using exchange::Request;
using exchange::Response;

namespace {

Response redirect_to(Request& request, std::uint16_t status, std::string_view location) {
  Response response = exchange::page(request, status);
  response.head.fields.remove(http::FieldId::kCacheControl);
  response.head.fields.add(http::FieldId::kLocation, location);
  return response;
}

}  // namespace

net::Task<Result<Response>> Redirect::handle(Request& request) {
  const auto location = location_.fill(request);
  if (!location) co_return fail(location.error());
  co_return redirect_to(request, status_, *location);
}

Result<std::string_view> location_by_https(const Request& request, std::uint16_t port) {
  if (request.head.host.empty()) return fail(ErrorCode::kBadRequest, Side::kClient, Retry::kNever, "no Host");
  const std::string_view uri = request.client_path == "*" ? std::string_view("/") : uri_of(request);
  const std::string after = port == 443 ? std::string() : ":" + std::to_string(port);
  return request.arena->concat({"https://", request.head.host, after, uri});
}

net::Task<Result<Response>> RedirectToHttps::handle(Request& request) {
  if (request.head.scheme == "https") co_return co_await next_.handle(request);
  const auto location = location_by_https(request, port_);
  if (!location) co_return exchange::error_response(request, exchange::status_of(location.error()));
  co_return redirect_to(request, 308, *location);
}

net::Task<Result<Response>> Respond::handle(Request& request) {
  const bool is_page = action_.body.empty() && action_.status >= 400;
  Response response;
  if (is_page) {
    response = exchange::page(request, action_.status);
  } else {
    response.head.status = action_.status;
    response.body = std::make_unique<exchange::StringBody>(action_.body);
    response.head.fields.add(http::FieldId::kContentType, "text/plain; charset=utf-8");
  }
  for (const auto& [name, value] : action_.headers) response.head.fields.set(name, value);
  co_return response;
}

}  // namespace rproxy::proxy
