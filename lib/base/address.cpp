#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace rproxy {
namespace {

constexpr std::array<std::uint8_t, 12> kV4Prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t kTextMax = 45;

template <typename T>
std::optional<T> parse_number(std::string_view text, unsigned max) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || value > max) return std::nullopt;
  return static_cast<T>(value);
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
           c == '_';
  });
}

}  // namespace

bool IpAddress::is_v4() const { return std::equal(kV4Prefix.begin(), kV4Prefix.end(), bytes.begin()); }

std::size_t IpAddress::format(char* out) const {
  if (is_v4()) {
    char* at = out;
    for (std::size_t i = 12; i < 16; ++i) {
      if (i != 12) *at++ = '.';
      at = std::to_chars(at, at + 3, bytes[i]).ptr;
    }
    return static_cast<std::size_t>(at - out);
  }
  char text[INET6_ADDRSTRLEN];
  ::inet_ntop(AF_INET6, bytes.data(), text, sizeof text);
  const std::size_t size = std::strlen(text);
  std::memcpy(out, text, size);
  return size;
}

std::string IpAddress::to_string() const {
  char text[kTextMax];
  return {text, format(text)};
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.empty() || text.size() > kTextMax) return std::nullopt;
  char terminated[kTextMax + 1];
  std::memcpy(terminated, text.data(), text.size());
  terminated[text.size()] = '\0';
  if (std::strlen(terminated) != text.size()) return std::nullopt;
  IpAddress out;
  if (::inet_pton(AF_INET, terminated, out.bytes.data() + 12) == 1) {
    std::copy(kV4Prefix.begin(), kV4Prefix.end(), out.bytes.begin());
    return out;
  }
  if (::inet_pton(AF_INET6, terminated, out.bytes.data()) == 1) return out;
  return std::nullopt;
}

bool IpNetwork::contains(const IpAddress& candidate) const {
  const std::size_t whole = prefix / 8;
  if (!std::equal(address.bytes.begin(), address.bytes.begin() + static_cast<std::ptrdiff_t>(whole),
                  candidate.bytes.begin())) {
    return false;
  }
  const unsigned rest = prefix % 8;
  return rest == 0 || (address.bytes[whole] ^ candidate.bytes[whole]) >> (8 - rest) == 0;
}

std::optional<IpNetwork> IpNetwork::parse(std::string_view text, bool strict) {
  const auto slash = text.find('/');
  const auto ip = IpAddress::parse(text.substr(0, slash));
  if (!ip) return std::nullopt;
  IpNetwork out{*ip, 128};
  const bool v4 = text.substr(0, slash).find(':') == std::string_view::npos;
  if (slash != std::string_view::npos) {
    const auto length = parse_number<std::uint8_t>(text.substr(slash + 1), v4 ? 32 : 128);
    if (!length) return std::nullopt;
    out.prefix = static_cast<std::uint8_t>(*length + (v4 ? 96 : 0));
  }
  IpAddress masked = out.address;
  for (std::size_t bit = out.prefix; bit < 128; ++bit) {
    masked.bytes[bit / 8] = static_cast<std::uint8_t>(masked.bytes[bit / 8] & ~(0x80U >> (bit % 8)));
  }
  if (strict && masked != out.address) return std::nullopt;
  out.address = masked;
  return out;
}

std::string IpNetwork::to_string() const {
  const unsigned length = address.is_v4() && prefix >= 96 ? prefix - 96U : prefix;
  return address.to_string() + "/" + std::to_string(length);
}

std::optional<HostPort> HostPort::parse(std::string_view text) {
  HostPort out;
  if (text.starts_with("unix:")) {
    out.kind = Kind::kUnix;
    out.host = text.substr(5);
    return out.host.empty() || out.host.find('\0') != std::string::npos ? std::nullopt : std::optional(out);
  }
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1), 65535);
  if (!port) return std::nullopt;
  out.port = *port;
  auto host = text.substr(0, colon);
  if (host.empty() || host == "*") {
    out.kind = Kind::kAny;
    return out;
  }
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  out.host = host;
  if (const auto ip = IpAddress::parse(host)) {
    // Without brackets the port of an IPv6 address can't be told from its last group.
    if ((host.find(':') != std::string_view::npos) != bracketed) return std::nullopt;
    out.kind = Kind::kIp;
    out.ip = *ip;
    return out;
  }
  if (bracketed || !is_name(host)) return std::nullopt;
  out.kind = Kind::kName;
  return out;
}

std::string HostPort::to_string() const {
  switch (kind) {
    case Kind::kUnix:
      return "unix:" + host;
    case Kind::kAny:
      return ":" + std::to_string(port);
    case Kind::kIp:
      return (host.find(':') != std::string::npos ? "[" + host + "]" : host) + ":" + std::to_string(port);
    case Kind::kName:
      break;
  }
  return host + ":" + std::to_string(port);
}

}  // namespace rproxy
