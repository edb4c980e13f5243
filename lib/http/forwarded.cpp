#include "http/forwarded.h"

namespace rproxy::http {
namespace {

std::string_view unquote(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

}  // namespace

bool quotes_are_closed(std::string_view text) {
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') {
      quoted = !quoted;
    } else if (quoted && text[i] == '\\') {
      ++i;
    }
  }
  return !quoted;
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
    const auto end = element.find(';');
    const auto pair = trim(element.substr(0, end));
    if (pair.size() > 4 && equals_ignoring_case(pair.substr(0, 4), "for=")) return pair.substr(4);
    if (end == std::string_view::npos) break;
    element = element.substr(end + 1);
  }
  return {};
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
