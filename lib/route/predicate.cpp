#include "route/predicate.h"

#include <algorithm>

#include "http/cookie.h"
#include "http/query.h"

namespace rproxy::route {
namespace {

constexpr std::int64_t kRegexMemoryMax = 8 << 20;

re2::StringPiece piece(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

std::unique_ptr<const re2::RE2> compile_regex(const std::string& pattern, std::string& error) {
  re2::RE2::Options options(re2::RE2::Quiet);
  options.set_max_mem(kRegexMemoryMax);
  auto regex = std::make_unique<const re2::RE2>(pattern, options);
  if (regex->ok()) return regex;
  error = regex->error();
  return nullptr;
}

Predicates::Predicates(const Match& match, std::string& error)
    : methods_(match.methods),
      headers_(compile(match.headers, error)),
      query_(compile(match.query, error)),
      cookies_(compile(match.cookies, error)),
      client_ips_(match.client_ips),
      count_((methods_.empty() ? 0 : 1) + headers_.size() + query_.size() + cookies_.size() +
             (client_ips_.empty() ? 0 : 1)) {}

std::vector<Predicates::Value> Predicates::compile(const std::vector<ValueMatch>& asked, std::string& error) {
  std::vector<Value> values;
  for (const ValueMatch& match : asked) {
    Value value{match, http::field_id(match.name), nullptr};
    if (match.kind == ValueMatch::Kind::kRegex) value.regex = compile_regex(match.value, error);
    values.push_back(std::move(value));
  }
  return values;
}

// `found` is null where there is no such header or cookie.
bool Predicates::holds(const Value& value, const std::string_view* found) {
  switch (value.asked.kind) {
    case ValueMatch::Kind::kPresent:
      return found != nullptr;
    case ValueMatch::Kind::kAbsent:
      return found == nullptr;
    case ValueMatch::Kind::kExact:
      return found != nullptr && *found == value.asked.value;
    case ValueMatch::Kind::kPrefix:
      return found != nullptr && found->starts_with(value.asked.value);
    case ValueMatch::Kind::kRegex:
      return found != nullptr && re2::RE2::FullMatch(piece(*found), *value.regex);
  }
  return false;
}

bool Predicates::holds_in_query(const Value& value, std::string_view query) {
  const auto found = http::find_query(query, value.asked.name);
  switch (value.asked.kind) {
    case ValueMatch::Kind::kPresent:
      return found.has_value();
    case ValueMatch::Kind::kAbsent:
      return !found;
    case ValueMatch::Kind::kExact:
      return found && http::decodes_to(*found, value.asked.value);
    case ValueMatch::Kind::kPrefix:
      return found && http::decodes_to_prefix(*found, value.asked.value);
    case ValueMatch::Kind::kRegex:
      return found && re2::RE2::FullMatch(http::decode_query(*found), *value.regex);
  }
  return false;
}

bool Predicates::method_holds(const http::RequestHead& head) const {
  if (methods_.empty()) return true;
  // RFC 9110 9.3.2: HEAD asks for what GET would send.
  const std::string_view method = head.method_id == http::Method::kHead ? "GET" : head.method;
  return std::ranges::any_of(methods_, [&](const std::string& m) { return m == method || m == head.method; });
}

std::optional<Predicates::Failing> Predicates::first_failing(const http::RequestHead& head,
                                                             const IpAddress& client) const {
  if (!method_holds(head)) return Failing{Kind::kMethod, 0};
  for (std::size_t i = 0; i < headers_.size(); ++i) {
    const Value& value = headers_[i];
    const http::Field* field =
        value.field != http::FieldId::kOther ? head.fields.find(value.field) : head.fields.find(value.asked.name);
    if (!holds(value, field != nullptr ? &field->value : nullptr)) return Failing{Kind::kHeader, i};
  }
  for (std::size_t i = 0; i < query_.size(); ++i) {
    if (!holds_in_query(query_[i], head.query)) return Failing{Kind::kQuery, i};
  }
  for (std::size_t i = 0; i < cookies_.size(); ++i) {
    const auto cookie = http::find_cookie(head.fields, cookies_[i].asked.name);
    if (!holds(cookies_[i], cookie ? &*cookie : nullptr)) return Failing{Kind::kCookie, i};
  }
  const bool is_client =
      client_ips_.empty() || std::ranges::any_of(client_ips_, [&](const IpNetwork& n) { return n.contains(client); });
  if (!is_client) return Failing{Kind::kClientIp, 0};
  return std::nullopt;
}

}  // namespace rproxy::route
