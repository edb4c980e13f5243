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

net::Task<Result<Response>> RedirectToHttps::handle(Request& request) {
  if (request.head.scheme == "https") co_return co_await next_.handle(request);
  // Without a Host there is no telling where to.
  if (request.head.host.empty()) co_return exchange::error_response(request, 400);
  const std::string_view uri = request.client_path == "*" ? std::string_view("/") : uri_of(request);
  const std::string port = port_ == 443 ? std::string() : ":" + std::to_string(port_);
  co_return redirect_to(request, 308, request.arena->concat({"https://", request.head.host, port, uri}));
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
