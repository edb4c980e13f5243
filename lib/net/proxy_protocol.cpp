#include "net/proxy_protocol.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

#include "base/utf8.h"
#include "net/crc32c.h"
#include "net/proxy_protocol_wire.h"

namespace rproxy::net {
namespace {

using namespace proxy_wire;

tl::unexpected<Error> malformed(std::string why) {
  return fail(ErrorCode::kBadRequest, Side::kClient, Retry::kNever, std::move(why));
}

// Whether these are, or may become, bytes that begin with `expected`.
bool begins_like(std::string_view bytes, std::string_view expected) {
  const auto size = std::min(bytes.size(), expected.size());
  return bytes.substr(0, size) == expected.substr(0, size);
}

unsigned byte_at(std::string_view bytes, std::size_t at) { return static_cast<unsigned char>(bytes[at]); }

std::uint16_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint16_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

// ---- Version 1.

// PP 2.1: decimal, without a zero in front.
std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (text[0] == '0' && text.size() > 1) return std::nullopt;
  return port;
}

// An IPv4 address that is written as IPv6 may be announced as TCP6: dual-stack sockets have such.
std::optional<IpAddress> parse_ip(std::string_view text, bool is_v6) {
  return (text.find(':') != text.npos) == is_v6 ? IpAddress::parse(text) : std::nullopt;
}

// Up to the next space, or the end.
std::string_view take_word(std::string_view& rest) {
  const auto end = std::min(rest.find(' '), rest.size());
  const auto word = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  return word;
}

Result<void> parse_addresses(std::string_view line, ProxyHeader& out) {
  const auto spaces = std::count(line.begin(), line.end(), ' ');
  std::string_view rest = line;
  const auto family = take_word(rest);
  const bool is_v6 = family == "TCP6";
  if (!is_v6 && family != "TCP4") return malformed("neither TCP4 nor TCP6 nor UNKNOWN");
  constexpr int kSpaces = 4;
  if (spaces != kSpaces) return malformed("not two addresses and two ports, each after one space");
  const auto source = parse_ip(take_word(rest), is_v6);
  const auto destination = parse_ip(take_word(rest), is_v6);
  if (!source || !destination) return malformed("an address that is none of its family");
  const auto source_port = parse_port(take_word(rest));
  const auto destination_port = parse_port(take_word(rest));
  if (!source_port || !destination_port) return malformed("a port that is no number from 0 to 65535");
  out.has_addresses = true;
  out.source = {*source, *source_port, false};
  out.destination = {*destination, *destination_port, false};
  return {};
}

Result<std::size_t> parse_line(std::string_view bytes, ProxyHeader& out) {
  if (!begins_like(bytes, kLinePrefix)) return malformed("no PROXY header");
  const auto start = bytes.substr(0, kProxyLineMax);
  const auto end = start.find_first_of("\r\n");
  if (end == start.npos || (start[end] == '\r' && end + 1 == start.size())) {
    if (start.size() < kProxyLineMax) return std::size_t{0};
    return malformed(fmt::format("no CRLF within {} bytes", kProxyLineMax));
  }
  if (start.substr(end, 2) != "\r\n") return malformed("a line that does not end in CRLF");
  const auto line = start.substr(kLinePrefix.size(), end - kLinePrefix.size());
  out.version = 1;
  // PP 2.1: whatever follows that word is ignored.
  const bool is_unknown = line == kUnknown || (line.starts_with(kUnknown) && line[kUnknown.size()] == ' ');
  if (!is_unknown) {
    if (auto parsed = parse_addresses(line, out); !parsed) return fail(std::move(parsed.error()));
  }
  return end + 2;
}

// ---- Version 2.

struct Tlv {
  unsigned type = 0;
  std::string_view value;
};

// Nothing where `rest` is no whole one.
std::optional<Tlv> take_tlv(std::string_view& rest) {
  if (rest.size() < kTlvHead) return std::nullopt;
  const std::size_t size = number_at(rest, 1);
  if (rest.size() - kTlvHead < size) return std::nullopt;
  const Tlv tlv{byte_at(rest, 0), rest.substr(kTlvHead, size)};
  rest.remove_prefix(kTlvHead + size);
  return tlv;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto size = first_character(text).size;
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

// PP 2.2.3: of the whole header, the field itself as zeros.
bool is_checksum_right(std::string_view header, std::string_view field) {
  const auto at = static_cast<std::size_t>(field.data() - header.data());
  std::uint32_t sum = crc32c(header.substr(0, at));
  sum = crc32c(std::string_view("\0\0\0\0", kChecksumSize), sum);
  sum = crc32c(header.substr(at + kChecksumSize), sum);
  return sum == (std::uint32_t{number_at(field, 0)} << 16 | number_at(field, 2));
}

Result<void> parse_tls(std::string_view value, ProxyHeader::Tls& out) {
  if (value.size() < kTlsHead) return malformed("an SSL field that is too short");
  out.used = (byte_at(value, 0) & kClientTls) != 0;
  const bool has_certificate = (byte_at(value, 0) & (kClientCertConnection | kClientCertSession)) != 0;
  out.is_verified = out.used && has_certificate && value.substr(1, 4) == std::string_view("\0\0\0\0", 4);
  for (std::string_view rest = value.substr(kTlsHead); !rest.empty();) {
    const auto tlv = take_tlv(rest);
    if (!tlv) return malformed("a part of the SSL field that goes beyond it");
    if (tlv->type == kTlsVersion) out.version = tlv->value;
    if (tlv->type == kTlsCipher) out.cipher = tlv->value;
    if (tlv->type == kTlsClientName) out.client_name = tlv->value;
  }
  if (!is_ascii(out.version) || !is_ascii(out.cipher)) return malformed("an SSL version or cipher that is not ASCII");
  return {};
}

Result<void> parse_tlv(std::string_view header, const Tlv& tlv, ProxyHeader& out) {
  switch (tlv.type) {
    case kAlpn:
      out.alpn = tlv.value;
      return {};
    case kAuthority:
      out.authority = tlv.value;
      if (!is_utf8(tlv.value)) return malformed("an AUTHORITY that is not UTF-8");
      return {};
    case kChecksum:
      if (tlv.value.size() != kChecksumSize) return malformed("a CRC32C of the wrong size");
      if (!is_checksum_right(header, tlv.value)) return malformed("a CRC32C that is not the header's");
      return {};
    case kUniqueId:
      out.unique_id = tlv.value;
      if (tlv.value.size() > kUniqueIdMax) return malformed("a UNIQUE_ID that is too long");
      return {};
    case kTls:
      return parse_tls(tlv.value, out.tls);
    default:  // NOOP, NETNS, and what others have agreed upon
      return {};
  }
}

bool is_single(unsigned type) {
  return type == kAlpn || type == kAuthority || type == kChecksum || type == kUniqueId || type == kTls;
}

// Of a field that is there twice receivers would believe different ones.
Result<void> parse_tlvs(std::string_view header, std::size_t at, ProxyHeader& out) {
  std::uint64_t seen = 0;
  for (std::string_view rest = header.substr(at); !rest.empty();) {
    const auto tlv = take_tlv(rest);
    if (!tlv) return malformed("a field that goes beyond the header");
    const std::uint64_t bit = is_single(tlv->type) ? std::uint64_t{1} << tlv->type : 0;
    if ((seen & bit) != 0) return malformed("a field that is there twice");
    seen |= bit;
    if (auto parsed = parse_tlv(header, *tlv, out); !parsed) return parsed;
  }
  return {};
}

Peer peer_at(std::string_view bytes, std::size_t ip_at, std::size_t ip_size, std::size_t port_at) {
  Peer peer;
  if (ip_size == kIpv4Size) peer.ip = *IpAddress::parse("0.0.0.0");
  for (std::size_t i = 0; i < ip_size; ++i) {
    peer.ip.bytes[peer.ip.bytes.size() - ip_size + i] = static_cast<std::uint8_t>(byte_at(bytes, ip_at + i));
  }
  peer.port = number_at(bytes, port_at);
  return peer;
}

// Of a PROXY command. A datagram's addresses are no less the client's: a proxy may have taken HTTP/3 from it.
Result<void> parse_block(std::string_view header, ProxyHeader& out) {
  const unsigned family = byte_at(header, kFamilyAt) >> 4;
  const unsigned transport = byte_at(header, kFamilyAt) & 0xf;
  // PP 2.2: addresses of no known form may be there, so that where fields begin is not known either.
  if (family == kUnspecified || transport == kUnspecified) return {};
  const std::size_t ip_size = family == kIpv4 ? kIpv4Size : kIpv6Size;
  const std::size_t size = family == kUnix ? 2 * kUnixPathSize : 2 * ip_size + 4;
  if (header.size() - kProxyBinaryMin < size) return malformed("a header that is too short for its addresses");
  out.has_addresses = true;
  if (family == kUnix) {
    out.source.is_unix = out.destination.is_unix = true;
  } else {
    const std::size_t ports_at = kProxyBinaryMin + 2 * ip_size;
    out.source = peer_at(header, kProxyBinaryMin, ip_size, ports_at);
    out.destination = peer_at(header, kProxyBinaryMin + ip_size, ip_size, ports_at + 2);
  }
  return parse_tlvs(header, kProxyBinaryMin + size, out);
}

Result<std::size_t> parse_binary(std::string_view bytes, std::size_t size_max, ProxyHeader& out) {
  if (!begins_like(bytes, kSignature)) return malformed("no PROXY header");
  if (bytes.size() <= kCommandAt) return std::size_t{0};
  const unsigned command = byte_at(bytes, kCommandAt);
  if (command != kLocal && command != kProxy) return malformed("neither LOCAL nor PROXY of version 2");
  if (bytes.size() < kProxyBinaryMin) return std::size_t{0};
  const unsigned family = byte_at(bytes, kFamilyAt);
  // PP 2.2: with LOCAL the family is ignored, and so is all that follows.
  if (command == kProxy && (family >> 4 > kUnix || (family & 0xf) > kDatagram)) {
    return malformed("a family or transport that is not specified");
  }
  const std::size_t size = kProxyBinaryMin + number_at(bytes, kLengthAt);
  if (size > size_max) return malformed(fmt::format("a header of {} bytes, of at most {}", size, size_max));
  if (bytes.size() < size) return std::size_t{0};
  out.version = 2;
  if (command == kProxy) {
    if (auto parsed = parse_block(bytes.substr(0, size), out); !parsed) return fail(std::move(parsed.error()));
  }
  return size;
}

}  // namespace

Result<std::size_t> parse_proxy_header(std::string_view bytes, std::size_t size_max, ProxyHeader& out) {
  out = {};
  if (bytes.empty()) return std::size_t{0};
  return bytes[0] == kLinePrefix[0] ? parse_line(bytes, out) : parse_binary(bytes, size_max, out);
}

}  // namespace rproxy::net
