#include "acme/challenge_handler.h"

#include <string>
#include <string_view>
#include <utility>

#include "acme/messages.h"
#include "exchange/string_body.h"
#include "net/from_thread.h"

namespace rproxy::acme {

using exchange::Request;
using exchange::Response;

namespace {

constexpr std::string_view kPrefix = "/.well-known/acme-challenge/";

bool may_ask(const Request& request) {
  return request.head.method_id == http::Method::kGet || request.head.method_id == http::Method::kHead;
}

Response proof_response(const Request& request, std::string_view authorization) {
  Response response;
  response.head.status = 200;
  response.head.fields.add(http::FieldId::kContentType, "application/octet-stream");
  response.head.fields.add(http::FieldId::kCacheControl, "no-store");
  response.body = std::make_unique<exchange::StringBody>(request.arena->copy(authorization));
  return response;
}

}  // namespace

net::Task<Result<Response>> ChallengeHandler::handle(Request& request) {
  const std::string_view path = request.head.path;
  if (!path.starts_with(kPrefix) || !may_ask(request) || !is_token(path.substr(kPrefix.size()))) {
    return next_.handle(request);
  }
  return answer_or_pass(request, std::string(path.substr(kPrefix.size())));
}

net::Task<Result<Response>> ChallengeHandler::answer_or_pass(Request& request, std::string token) {
  const std::string authorization = co_await find(request, std::move(token));
  if (authorization.empty()) co_return co_await next_.handle(request);
  co_return proof_response(request, authorization);
}

net::Task<std::string> ChallengeHandler::find(const Request& request, std::string token) const {
  std::string authorization = proofs_->own.find(token);
  if (!authorization.empty()) co_return authorization;
  net::FromThread<std::string> answer(*request.loop);
  // Where too many ask, most of them for what nobody has, those are asked for elsewhere.
  const bool is_asked = proofs_->disk.post(
      [token = std::move(token), tell = answer.teller(), proofs = proofs_.get()] { tell(proofs->files.find(token)); });
  if (!is_asked) co_return std::string();
  co_return co_await answer.told();
}

}  // namespace rproxy::acme
