#include "http/hop_by_hop.h"

#include "http/characters.h"
#include "http/forwarded.h"

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

bool is_end_to_end(FieldId id) {
  switch (id) {
    case FieldId::kHost:
    case FieldId::kContentLength:
    case FieldId::kContentType:
    case FieldId::kContentEncoding:
    case FieldId::kContentRange:
    case FieldId::kCacheControl:
    case FieldId::kAuthorization:
    case FieldId::kEarlyData:
    case FieldId::kExpect:
    case FieldId::kMaxForwards:
    case FieldId::kCookie:
    case FieldId::kSetCookie:
    case FieldId::kOrigin:
    case FieldId::kRange:
    case FieldId::kVia:
      return true;
    default:
      return is_forwarding_field(id);
  }
}

// More than any message has fields. Each is a search among them, and ten thousand names fit into a head.
constexpr std::size_t kNominatedMax = 128;

void remove_nominated(Fields& fields, std::string_view list, std::size_t& left) {
  for_each_element(list, [&](std::string_view name) {
    if (left == 0) return false;
    --left;
    // Those are removed by their own rules, and further Connection lines are still to be read.
    const bool is_own = is_hop_by_hop(field_id(name), false);
    if (!is_own && !equals_ignoring_case(name, "close")) fields.remove(name);
    return true;
  });
}

// Whether any option of any Connection line is such.
template <typename Predicate>
bool any_option(const Fields& fields, Predicate predicate) {
  bool found = false;
  for (const Field& field : fields) {
    if (field.id != FieldId::kConnection) continue;
    for_each_element(field.value, [&](std::string_view option) {
      found = found || predicate(option);
      return !found;
    });
  }
  return found;
}

}  // namespace

bool nominates_end_to_end_field(const Fields& fields) {
  return any_option(fields, [](std::string_view option) { return is_end_to_end(field_id(option)); });
}

bool nominates_fields(const Fields& fields) {
  return any_option(fields, [](std::string_view option) {
    return !is_hop_by_hop(field_id(option), false) && !equals_ignoring_case(option, "close");
  });
}

void remove_hop_by_hop(Fields& fields, bool keep_upgrade) {
  // A Connection line can't remove another one: their number is known.
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
