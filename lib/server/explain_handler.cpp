#include "server/explain_handler.h"

#include <algorithm>
#include <memory>

#include "exchange/string_body.h"
#include "http/negotiation.h"

namespace rproxy::server {

using exchange::Request;
using exchange::Response;

bool ExplainHandler::may_ask(const Request& request) const {
  const net::Peer& peer = request.client->peer;
  return !peer.is_unix && std::ranges::any_of(options_.allow, [&](const IpNetwork& n) { return n.contains(peer.ip); });
}

Response ExplainHandler::explain(Request& request) const {
  const bool is_json = http::preferred_page(request.head.fields) == http::PageType::kJson;
  const check::Explanation explanation = explainer_.explain(request, &listener_);
  const std::string text = is_json ? check::render_json(explanation) : check::render_text(explanation);
  Response response;
  response.head.fields.add(http::FieldId::kContentType, is_json ? "application/json" : "text/plain; charset=utf-8");
  response.head.fields.add(http::FieldId::kCacheControl, "no-store");
  response.body = std::make_unique<exchange::StringBody>(request.arena->copy(text));
  return response;
}

net::Task<Result<Response>> ExplainHandler::answer(Request& request) const { co_return explain(request); }

net::Task<Result<Response>> ExplainHandler::handle(Request& request) {
  const bool is_asked = request.head.fields.remove(options_.header) != 0;
  return is_asked && may_ask(request) ? answer(request) : next_.handle(request);
}

}  // namespace rproxy::server
