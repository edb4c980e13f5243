#include "proxy/hash_key.h"

#include <optional>
#include <string_view>

#include "http/cookie.h"
#include "http/query.h"

namespace rproxy::proxy {
namespace {

using Source = balance::HashKey::Source;

std::optional<std::string_view> find(const balance::HashKey& key, const exchange::Request& request) {
  const http::RequestHead& head = request.head;
  switch (key.source) {
    case Source::kHeader:
      // HTTP/2 has none of that name.
      if (http::equals_ignoring_case(key.name, "Host")) return request.client_authority;
      if (const auto* field = head.fields.find(key.name)) return field->value;
      return std::nullopt;
    case Source::kCookie:
      return http::find_cookie(head.fields, key.name);
    case Source::kQuery:
      return http::find_query(head.query, key.name);
    case Source::kClientIp:
    case Source::kUri:
      break;
  }
  return std::nullopt;
}

}  // namespace

std::uint64_t hash_of(const balance::HashKey& key, const exchange::Request& request) {
  if (key.source == Source::kUri) return balance::hash_of(request.head.query, balance::hash_of(request.client_path));
  if (const auto value = find(key, request)) return balance::hash_of(*value);
  const auto& bytes = request.client_ip.bytes;
  return balance::hash_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
}

}  // namespace rproxy::proxy
