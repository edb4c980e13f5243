// IP addresses, networks and socket addresses as values; parsing only, no sockets and no DNS.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rproxy {

// IPv4 is held as IPv4-mapped IPv6 (::ffff:a.b.c.d), so that one comparison serves both and a dual-stack socket's peers match v4 rules.
struct IpAddress {
  std::array<std::uint8_t, 16> bytes{};
  auto operator<=>(const IpAddress&) const = default;

  bool is_v4() const;
  // "192.0.2.1" or "2001:db8::1" (RFC 5952), no brackets. Writes at most 45 characters to `out`; returns the length.
  std::size_t format(char* out) const;
  std::string to_string() const;

  // Strict: dotted quad without leading zeros, or RFC 4291 text without brackets or zone.
  static std::optional<IpAddress> parse(std::string_view text);
};

// "10.0.0.0/8", "2001:db8::/32", or a single address.
struct IpNetwork {
  IpAddress address;
  std::uint8_t prefix = 128;  // counted in the 128-bit form: an IPv4 /8 is 104
  bool operator==(const IpNetwork&) const = default;

  bool contains(const IpAddress& candidate) const;
  // Refuses host bits set below the prefix only when `strict`.
  static std::optional<IpNetwork> parse(std::string_view text, bool strict = false);
  std::string to_string() const;
};

// Where to listen or connect: "1.2.3.4:80", "[::1]:80", ":80" (all addresses, dual-stack), "host:80", "unix:/run/app.sock".
struct HostPort {
  enum class Kind : std::uint8_t { kIp, kName, kUnix, kAny };
  Kind kind = Kind::kAny;
  std::string host;  // the name, the address's text without brackets, or the socket's path
  IpAddress ip;      // kIp
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;

  static std::optional<HostPort> parse(std::string_view text);
  std::string to_string() const;
};

}  // namespace rproxy
