// The PROXY protocol, versions 1 and 2: what a proxy tells of its client at the beginning of a connection. Parsing and writing only, no
// I/O. "PP" below is HAProxy's doc/proxy-protocol.txt, by section.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/peer.h"

namespace rproxy::net {

// Texts view the bytes that were parsed, and hold whatever the sender put there unless said otherwise.
struct ProxyHeader {
  struct Tls {
    bool used = false;             // the client came over TLS
    bool is_verified = false;      // with a certificate that was verified
    std::string_view version;      // "TLSv1.3"; ASCII
    std::string_view cipher;       // ASCII
    std::string_view client_name;  // the common name of the client's certificate, verified or not
    bool operator==(const Tls&) const = default;
  };

  std::uint8_t version = 1;
  // False (LOCAL, UNKNOWN, a family that is not specified): the connection's own addresses hold.
  bool has_addresses = false;
  Peer source;
  Peer destination;
  std::string_view alpn;
  std::string_view authority;  // the host name the client asked for, as a rule by SNI; UTF-8
  std::string_view unique_id;
  Tls tls;
  bool operator==(const ProxyHeader&) const = default;
};

// PP 2.1: the longest line, CRLF included.
constexpr std::size_t kProxyLineMax = 107;
// PP 2.2: the least of a binary header, and the most its length field can tell.
constexpr std::size_t kProxyBinaryMin = 16;
constexpr std::size_t kProxyBinaryMax = kProxyBinaryMin + 0xffff;

// The header that begins `bytes`: its size, or 0 as long as more bytes are needed. Errors: kBadRequest, as soon as no more bytes could
// make a header of these, or one of more than `size_max`; context says why.
Result<std::size_t> parse_proxy_header(std::string_view bytes, std::size_t size_max, ProxyHeader& out);

// The same as it is sent, in its version. Where there are no addresses of IP, UNKNOWN or LOCAL. Texts go with version 2 alone, and as far
// as they have room: nothing that can't be parsed is written.
std::string write_proxy_header(const ProxyHeader& header);

}  // namespace rproxy::net
