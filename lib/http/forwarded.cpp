#include "http/forwarded.h"

#include <algorithm>

namespace rproxy::http {
namespace {

std::string_view unquote(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

// Whether an odd number of backslashes stands in front (RFC 9110 5.6.4).
bool is_escaped(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (count < at && text[at - count - 1] == '\\') ++count;
  return count % 2 != 0;
}

}  // namespace

bool is_forwarding_field(FieldId id) {
  switch (id) {
    case FieldId::kClientCert:
    case FieldId::kClientCertChain:
    case FieldId::kForwarded:
    case FieldId::kXForwardedFor:
    case FieldId::kXForwardedHost:
    case FieldId::kXForwardedPort:
    case FieldId::kXForwardedProto:
    case FieldId::kXRealIp:
    case FieldId::kXRequestId:
      return true;
    default:
      return false;
  }
}

std::optional<IpAddress> parse_forwarded_node(std::string_view node) {
  node = unquote(trim(node));
  if (node.starts_with('[')) {
    const auto end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    return IpAddress::parse(node.substr(1, end - 1));
  }
  // One colon separates a port from an IPv4 address; more make an IPv6 address.
  const auto colon = node.find(':');
  if (colon != std::string_view::npos && node.find(':', colon + 1) == std::string_view::npos)
    node = node.substr(0, colon);
  return IpAddress::parse(node);
}

std::string_view forwarded_for(std::string_view element) {
  while (!element.empty()) {
    std::size_t end = 0;
    for (bool quoted = false; end < element.size() && (quoted || element[end] != ';'); ++end) {
      if (element[end] == '"' && !is_escaped(element, end)) quoted = !quoted;
    }
    const auto pair = trim(element.substr(0, end));
    if (pair.size() > 4 && equals_ignoring_case(pair.substr(0, 4), "for=")) return pair.substr(4);
    element.remove_prefix(std::min(end + 1, element.size()));
  }
  return {};
}

std::string_view take_last_element(std::string_view& list, bool quotes) {
  std::size_t begin = list.size();
  for (bool quoted = false; begin > 0 && (quoted || list[begin - 1] != ','); --begin) {
    if (quotes && list[begin - 1] == '"' && !is_escaped(list, begin - 1)) quoted = !quoted;
  }
  const auto element = trim(list.substr(begin));
  list = list.substr(0, begin > 0 ? begin - 1 : 0);
  return element;
}

std::string_view forwarded_element(std::string_view node, std::string_view authority, std::string_view scheme,
                                   Arena& arena) {
  const bool is_v6 = node.find(':') != std::string_view::npos;
  const std::string_view open = is_v6 ? "for=\"[" : "for=";
  const std::string_view close = is_v6 ? "]\"" : "";
  if (authority.empty()) return arena.concat({open, node, close, ";proto=", scheme});
  const std::string_view quote = is_token(authority) ? "" : "\"";
  return arena.concat({open, node, close, ";host=", quote, authority, quote, ";proto=", scheme});
}

}  // namespace rproxy::http
