#include "proxy/request_head.h"

#include <fmt/format.h>

#include <charconv>
#include <limits>

#include "http/forwarded.h"
#include "http/hop_by_hop.h"
#include "proxy/client_certificate_field.h"

namespace rproxy::proxy {

using http::FieldId;

namespace {

constexpr std::size_t kIpTextMax = 45;

// CGI-like servers read "X_Forwarded_For" as "X-Forwarded-For": a client must not get past us by that spelling.
bool looks_like_forwarding_field(const http::Field& field) {
  return http::is_forwarding_field(field.id != FieldId::kOther ? field.id : http::field_id_with_hyphens(field.name));
}

// All lines of one name as one list with `last` at its end, so that the order of hops stays (RFC 9110 5.3).
void append(http::Fields& fields, FieldId id, std::string_view last, Arena& arena) {
  std::string_view list;
  for (const auto& field : fields) {
    if (field.id == id) list = list.empty() ? field.value : arena.concat({list, ", ", field.value});
  }
  fields.set(id, list.empty() ? last : arena.concat({list, ", ", last}));
}

std::string_view peer_text(const exchange::Request& request) {
  char* out = request.arena->allocate(kIpTextMax);
  return {out, request.client->peer.ip.format(out)};
}

// What a trusted proxy said stays; nothing is there of anybody else. `peer` is empty where the client has no address.
void add_x_forwarded(exchange::Request& request, std::string_view peer) {
  http::Fields& fields = request.head.fields;
  if (!peer.empty()) append(fields, FieldId::kXForwardedFor, peer, *request.arena);
  if (!fields.has(FieldId::kXForwardedProto)) fields.add(FieldId::kXForwardedProto, request.head.scheme);
  if (request.head.authority.empty() || fields.has(FieldId::kXForwardedHost)) return;
  fields.add(FieldId::kXForwardedHost, request.head.authority);
}

}  // namespace

Result<bool> count_hop(exchange::Request& request) {
  const auto method = request.head.method_id;
  if (method != http::Method::kOptions && method != http::Method::kTrace) return true;
  http::Fields& fields = request.head.fields;
  const http::Field* field = fields.find(FieldId::kMaxForwards);
  if (field == nullptr) return true;
  const auto text = field->value;
  std::uint32_t hops = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), hops);
  if (error == std::errc::invalid_argument || end != text.data() + text.size() ||
      fields.count(FieldId::kMaxForwards) > 1) {
    return fail(ErrorCode::kBadRequest, Side::kClient, Retry::kNever, "invalid Max-Forwards");
  }
  // The clause lets a number that is too large become the largest we know.
  if (error == std::errc::result_out_of_range) hops = std::numeric_limits<std::uint32_t>::max();
  if (hops == 0) return false;
  fields.set(FieldId::kMaxForwards, request.arena->copy(fmt::format_int(hops - 1).c_str()));
  return true;
}

void prepare_request_head(exchange::Request& request, const ForwardingOptions& options) {
  http::Fields& fields = request.head.fields;
  Arena& arena = *request.arena;
  http::remove_hop_by_hop(fields, request.head.upgrade);
  // A trusted proxy sets the fields, but lets other spellings of them through from its client.
  fields.remove_if([trusted = request.from_trusted_proxy, tells = options.client_cert.has_value()](const auto& field) {
    if (tells && field.id == FieldId::kClientCert) return false;  // ours
    return looks_like_forwarding_field(field) && !(trusted && field.id != FieldId::kOther);
  });
  // Once more: the client may have nominated it in Connection.
  if (request.client->certificate != nullptr) tell_client_certificate(request, options);
  const bool has_peer = !request.client->peer.is_unix;
  const auto peer = has_peer ? peer_text(request) : std::string_view();
  if (options.x_forwarded) add_x_forwarded(request, peer);
  if (options.forwarded) {
    append(fields, FieldId::kForwarded,
           http::forwarded_element(has_peer ? peer : "unknown", request.head.authority, request.head.scheme, arena),
           arena);
  }
  if (options.via) {
    const auto version = request.head.version == http::Version::kHttp10   ? "1.0 "
                         : request.head.version == http::Version::kHttp11 ? "1.1 "
                                                                          : "2.0 ";
    append(fields, FieldId::kVia, arena.concat({version, options.via_name}), arena);
  }
  if (options.request_id) fields.set(FieldId::kXRequestId, request.trace.request_id);
}

}  // namespace rproxy::proxy
