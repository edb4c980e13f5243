// What an answer of the DNS says: its addresses, or its services. Bytes in, values out; whatever sent them may be lying.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/units.h"

namespace rproxy::net {

// RFC 1035 3.2.2, RFC 3596, RFC 2782.
enum class DnsType : std::uint16_t { kA = 1, kCname = 5, kAaaa = 28, kSrv = 33 };

struct DnsAddresses {
  std::vector<IpAddress> addresses;  // sorted, each once
  Duration ttl{0};                   // the least of the records, aliases included
};

struct DnsService {
  std::uint16_t priority = 0;  // the lowest is asked first
  std::uint16_t weight = 0;    // share among equal priorities
  std::uint16_t port = 0;
  std::string target;  // a name; "." or empty: there is no such service here (RFC 2782)
  auto operator<=>(const DnsService&) const = default;
};

struct DnsServices {
  std::vector<DnsService> services;  // sorted, each once
  Duration ttl{0};
};

// Nothing where the message is malformed. `type` is kA or kAaaa; records of others are passed over.
std::optional<DnsAddresses> parse_addresses(std::span<const std::uint8_t> message, DnsType type);
std::optional<DnsServices> parse_services(std::span<const std::uint8_t> message);

}  // namespace rproxy::net
