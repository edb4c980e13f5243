#include "proxy/fixed_answers.h"

#include <array>
#include <memory>
#include <utility>

#include "exchange/error_page.h"
#include "exchange/string_body.h"

namespace rproxy::proxy {

using exchange::Request;
using exchange::Response;

namespace {

std::string_view uri_of(const Request& request) {
  if (!request.head.has_query) return request.client_path;
  return request.arena->concat({request.client_path, "?", request.head.query});
}

Response redirect_to(Request& request, std::uint16_t status, std::string_view location) {
  Response response = exchange::error_response(request, status);
  response.head.fields.remove(http::FieldId::kCacheControl);
  response.head.fields.add(http::FieldId::kLocation, location);
  return response;
}

}  // namespace

Redirect::Redirect(const RedirectAction& action) : status_(action.status) {
  static constexpr std::array<std::pair<std::string_view, Part>, 5> kVariables{{{"{scheme}", Part::kScheme},
                                                                                {"{host}", Part::kHost},
                                                                                {"{path}", Part::kPath},
                                                                                {"{query}", Part::kQuery},
                                                                                {"{uri}", Part::kUri}}};
  std::string_view rest = action.location;
  while (!rest.empty()) {
    bool matched = false;
    for (const auto& [text, part] : kVariables) {
      if (!rest.starts_with(text)) continue;
      pieces_.push_back({part, {}});
      rest.remove_prefix(text.size());
      matched = true;
      break;
    }
    if (matched) continue;
    if (pieces_.empty() || pieces_.back().part != Part::kText) pieces_.push_back({Part::kText, {}});
    pieces_.back().text += rest.front();
    rest.remove_prefix(1);
  }
}

net::Task<Result<Response>> Redirect::handle(Request& request) {
  std::string_view location;
  for (const Piece& piece : pieces_) {
    std::string_view text;
    switch (piece.part) {
      case Part::kText:
        text = piece.text;
        break;
      case Part::kScheme:
        text = request.head.scheme;
        break;
      case Part::kHost:
        text = request.head.host;
        break;
      case Part::kPath:
        text = request.client_path;
        break;
      case Part::kQuery:
        text = request.head.query;
        break;
      case Part::kUri:
        text = uri_of(request);
        break;
    }
    location = location.empty() ? text : request.arena->concat({location, text});
  }
  co_return redirect_to(request, status_, location);
}

net::Task<Result<Response>> RedirectToHttps::handle(Request& request) {
  // Without a Host there is no telling where to.
  if (request.head.host.empty()) co_return exchange::error_response(request, 400);
  const auto uri = request.client_path == "*" ? std::string_view("/") : uri_of(request);
  const std::string port = port_ == 443 ? std::string() : ":" + std::to_string(port_);
  co_return redirect_to(request, 308, request.arena->concat({"https://", request.head.host, port, uri}));
}

net::Task<Result<Response>> Respond::handle(Request& request) {
  const bool is_page = action_.body.empty() && action_.status >= 400;
  Response response;
  if (is_page) {
    response = exchange::error_response(request, action_.status);
  } else {
    response.head.status = action_.status;
    response.body = std::make_unique<exchange::StringBody>(action_.body);
    response.head.fields.add(http::FieldId::kContentType, "text/plain; charset=utf-8");
  }
  for (const auto& [name, value] : action_.headers) response.head.fields.set(name, value);
  co_return response;
}

}  // namespace rproxy::proxy
