#include "admin/gate.h"

#include <utility>

#include "admin/answer.h"

namespace rproxy::admin {

bool is_same_secret(std::string_view secret, std::string_view told) {
  // As the optimizer must not see that an answer is certain before the end.
  volatile unsigned char differs = secret.size() == told.size() ? 0 : 1;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    const char other = told.empty() ? '\0' : told[i % told.size()];
    differs = static_cast<unsigned char>(differs | static_cast<unsigned char>(secret[i] ^ other));
  }
  return differs == 0;
}

// RFC 6750 2.1; the scheme's name is without case (RFC 9110 11.1).
bool Gate::may_pass(const exchange::Request& request) const {
  constexpr std::string_view kScheme = "Bearer ";
  if (request.head.fields.count(http::FieldId::kAuthorization) != 1) return false;
  const std::string_view told = request.head.fields.get(http::FieldId::kAuthorization);
  if (!http::equals_ignoring_case(told.substr(0, kScheme.size()), kScheme)) return false;
  return is_same_secret(token_, told.substr(kScheme.size()));
}

net::Task<Result<exchange::Response>> Gate::handle(exchange::Request& request) {
  if (may_pass(request)) co_return co_await next_.handle(request);
  Answer answer = problem(401, "Authorization: Bearer with the admin endpoint's token is missing, or is not it");
  answer.fields.emplace_back("WWW-Authenticate", "Bearer realm=\"rproxy admin\"");
  co_return to_response(request, std::move(answer));
}

}  // namespace rproxy::admin
