// Who asked, as proxies in front of us tell it: X-Forwarded-For, and Forwarded (RFC 7239).
#pragma once

#include <algorithm>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/arena.h"
#include "http/characters.h"
#include "http/fields.h"

namespace rproxy::http {

// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80", quoted or not; nothing for "unknown" and "_names".
std::optional<IpAddress> parse_forwarded_node(std::string_view node);

// The `for` of one element of Forwarded; empty where there is none.
std::string_view forwarded_for(std::string_view element);

// False where a quoted string (RFC 9110 5.6.4) goes on past the end.
bool quotes_are_closed(std::string_view text);

// Calls `visit` with each hop of a Forwarded or X-Forwarded-For line. A quote that never closes is a client's attempt to swallow what
// proxies appended behind it: then commas separate, whatever the quotes say, as they always do in X-Forwarded-For.
template <typename Visit>
void for_each_hop(std::string_view line, bool has_quotes, Visit visit) {
  if (has_quotes && quotes_are_closed(line)) {
    return for_each_element(line, [&](std::string_view element) {
      visit(element);
      return true;
    });
  }
  while (!line.empty()) {
    const auto end = std::min(line.find(','), line.size());
    if (const auto element = trim(line.substr(0, end)); !element.empty()) visit(element);
    line.remove_prefix(std::min(end + 1, line.size()));
  }
}

// The address nearest to us that is not itself a proxy we believe, walking from the right: each believed proxy vouches for what it
// appended and no more. Where all are believed, the leftmost. X-Forwarded-For where there is one, else Forwarded. Nothing where the
// nearest element can't be read.
template <typename IsProxy>
std::optional<IpAddress> rightmost_client(const Fields& fields, IsProxy is_proxy) {
  const bool by_x = fields.has(FieldId::kXForwardedFor);
  std::optional<IpAddress> first;
  std::optional<IpAddress> found;
  for (const Field& field : fields) {
    if (field.id != (by_x ? FieldId::kXForwardedFor : FieldId::kForwarded)) continue;
    for_each_hop(field.value, !by_x, [&](std::string_view element) {
      const auto ip = parse_forwarded_node(by_x ? element : forwarded_for(element));
      if (!ip) {
        // Nobody vouches for what stands to the left of a gap.
        first = found = std::nullopt;
        return;
      }
      if (!first) first = ip;
      if (!is_proxy(*ip)) found = ip;
    });
  }
  return found ? found : first;
}

// "for=192.0.2.43;host=shop.com;proto=https", quoted where RFC 7239 4 asks for it. `node` is an address or "unknown".
std::string_view forwarded_element(std::string_view node, std::string_view authority, std::string_view scheme,
                                   Arena& arena);

}  // namespace rproxy::http
