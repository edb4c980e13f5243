#include "proxy/client_identity.h"

#include <algorithm>

#include "http/forwarded.h"
#include "proxy/client_certificate_field.h"

namespace rproxy::proxy {
namespace {

constexpr std::size_t kRequestIdMax = 128;

bool contains(const std::vector<IpNetwork>& networks, const IpAddress& ip) {
  return std::any_of(networks.begin(), networks.end(), [&](const IpNetwork& network) { return network.contains(ip); });
}

// What may stand in logs, headers and pages unquoted.
bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= kRequestIdMax && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  });
}

}  // namespace

bool ClientIdentity::is_trusted(const exchange::Request& request) const {
  return !options_.trusted_proxies.empty() && contains(options_.trusted_proxies, request.client->peer.ip);
}

void ClientIdentity::establish(exchange::Request& request) {
  request.from_trusted_proxy = is_trusted(request);
  if (request.from_trusted_proxy) {
    const auto is_proxy = [this](const IpAddress& ip) { return contains(options_.trusted_proxies, ip); };
    if (const auto ip = http::rightmost_client(request.head.fields, is_proxy)) request.client_ip = *ip;
    const auto id = request.head.fields.get(http::FieldId::kXRequestId);
    if (is_request_id(id)) request.trace.request_id = id;
  }
  // Here, so that Vary can tell by it.
  tell_client_certificate(request, options_);
  if (options_.request_id && request.trace.request_id.empty()) {
    request.trace.request_id = ids_.make(*request.arena);
  }
}

}  // namespace rproxy::proxy
