// Who asked, as proxies in front of us tell it: X-Forwarded-For, and Forwarded (RFC 7239).
#pragma once

#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/arena.h"
#include "http/characters.h"
#include "http/fields.h"

namespace rproxy::http {

// What only a proxy may say of a request: Forwarded, X-Forwarded-*, X-Real-IP, X-Request-ID.
bool is_forwarding_field(FieldId id);

// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80", quoted or not; nothing for "unknown" and "_names".
std::optional<IpAddress> parse_forwarded_node(std::string_view node);

// The `for` of one element of Forwarded; empty where there is none.
std::string_view forwarded_for(std::string_view element);

// Takes the last element off a comma-separated list. Read from the right, since what stands on the left may be a stranger's: a quote
// that he leaves open must not swallow what our proxies appended. Commas in quotes separate where `quotes` is false.
std::string_view take_last_element(std::string_view& list, bool quotes);

// The address nearest to us that is not itself a proxy we believe, walking from the right: each believed proxy vouches for what it
// appended and no more. Where all are believed, the leftmost. X-Forwarded-For where there is one, else Forwarded. Nobody vouches for
// what stands to the left of an element that can't be read; nothing where that is the nearest one.
template <typename IsProxy>
std::optional<IpAddress> rightmost_client(const Fields& fields, IsProxy is_proxy) {
  const bool by_x = fields.has(FieldId::kXForwardedFor);
  std::optional<IpAddress> leftmost;
  for (auto field = fields.end(); field != fields.begin();) {
    --field;
    if (field->id != (by_x ? FieldId::kXForwardedFor : FieldId::kForwarded)) continue;
    for (std::string_view list = field->value; !list.empty();) {
      const auto element = take_last_element(list, !by_x);
      if (element.empty()) continue;
      const auto ip = parse_forwarded_node(by_x ? element : forwarded_for(element));
      if (!ip) return leftmost;
      if (!is_proxy(*ip)) return ip;
      leftmost = ip;
    }
  }
  return leftmost;
}

// "for=192.0.2.43;host=shop.com;proto=https", quoted where RFC 7239 4 asks for it. `node` is an address or "unknown".
std::string_view forwarded_element(std::string_view node, std::string_view authority, std::string_view scheme,
                                   Arena& arena);

}  // namespace rproxy::http
