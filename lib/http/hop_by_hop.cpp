#include "http/hop_by_hop.h"

#include <algorithm>
#include <array>

#include "http/characters.h"

namespace rproxy::http {
namespace {

bool is_hop_by_hop(FieldId id, bool keep_upgrade) {
  switch (id) {
    case FieldId::kConnection:
    case FieldId::kKeepAlive:
    case FieldId::kProxyConnection:
    case FieldId::kProxyAuthenticate:
    case FieldId::kProxyAuthorization:
    case FieldId::kProxyAuthenticationInfo:
    case FieldId::kTe:
    case FieldId::kTransferEncoding:
    case FieldId::kHttp2Settings:
      return true;
    case FieldId::kUpgrade:
      return !keep_upgrade;
    default:
      return false;
  }
}

// RFC 9110 7.6.1: a sender must not name fields meant for all recipients. Naming them is how requests are stripped of what a backend
// decides by.
bool may_be_nominated(FieldId id) {
  switch (id) {
    case FieldId::kHost:
    case FieldId::kContentLength:
    case FieldId::kContentType:
    case FieldId::kContentEncoding:
    case FieldId::kContentRange:
    case FieldId::kCacheControl:
    case FieldId::kAuthorization:
    case FieldId::kCookie:
    case FieldId::kSetCookie:
    case FieldId::kOrigin:
    case FieldId::kRange:
    case FieldId::kForwarded:
    case FieldId::kVia:
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedHost:
    case FieldId::kXForwardedPort:
    case FieldId::kXForwardedProto:
    case FieldId::kXRealIp:
    case FieldId::kXRequestId:
    case FieldId::kUpgrade:  // has its own rule
      return false;
    default:
      return true;
  }
}

// More than any message has fields. Each is a search among them, and ten thousand names fit into a head.
constexpr std::size_t kNominatedMax = 128;

void remove_nominated(Fields& fields, std::string_view list, std::size_t& left) {
  for_each_element(list, [&](std::string_view name) {
    if (left == 0) return false;
    --left;
    if (may_be_nominated(field_id(name)) && !equals_ignoring_case(name, "close") &&
        !equals_ignoring_case(name, "keep-alive")) {
      fields.remove(name);
    }
    return true;
  });
}

}  // namespace

void remove_hop_by_hop(Fields& fields, bool keep_upgrade) {
  // Removing "Connection" itself comes last, and a Connection line can't remove another one: their number is known.
  const std::size_t lines = fields.count(FieldId::kConnection);
  std::size_t left = kNominatedMax;
  for (std::size_t line = 0; line < lines; ++line) {
    const Field* connection = fields.find(FieldId::kConnection);
    if (connection == nullptr) break;
    const auto list = connection->value;
    auto& all = fields.lines();
    all.erase(all.begin() + (connection - all.data()));
    remove_nominated(fields, list, left);
  }
  fields.remove_if([keep_upgrade](const Field& field) { return is_hop_by_hop(field.id, keep_upgrade); });
}

}  // namespace rproxy::http
