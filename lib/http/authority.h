// "host[:port]" of Host and absolute-form targets (RFC 3986 3.2), strictly.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace rproxy::http {

struct Authority {
  std::string_view host;  // a name, an IPv4 address, or an IPv6 literal with its brackets; as received
  std::optional<std::uint16_t> port;
};

// No userinfo, no escapes, names of letters, digits, '-', '_' and '.', at most 255 bytes. False for anything else.
bool parse_authority(std::string_view text, Authority& authority);

}  // namespace rproxy::http
