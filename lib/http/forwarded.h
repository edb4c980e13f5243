// Who asked, as proxies in front of us tell it: X-Forwarded-For, and Forwarded (RFC 7239).
#pragma once

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
    for_each_element(field.value, [&](std::string_view element) {
      const auto ip = parse_forwarded_node(by_x ? element : forwarded_for(element));
      if (!ip) {
        // Nobody vouches for what stands to the left of a gap.
        first = found = std::nullopt;
        return true;
      }
      if (!first) first = ip;
      if (!is_proxy(*ip)) found = ip;
      return true;
    });
  }
  return found ? found : first;
}

// "for=192.0.2.43;host=shop.com;proto=https", quoted where RFC 7239 4 asks for it. `node` is an address or "unknown".
std::string_view forwarded_element(std::string_view node, std::string_view authority, std::string_view scheme,
                                   Arena& arena);

}  // namespace rproxy::http
