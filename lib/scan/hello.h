// The first messages of a TLS handshake, as bytes: a ClientHello that offers what is to be found out, and what a server answers. No TLS library
// still speaks what servers should not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rproxy::scan {

struct ClientHello {
  std::uint16_t version = 0x0303;  // the highest; 0x0304: TLS 1.3 and nothing else
  std::vector<std::uint16_t> ciphers;
  std::vector<std::uint16_t> groups;
  std::string server_name;  // empty: none
  bool compression = false;
  bool fallback = false;  // TLS_FALLBACK_SCSV (RFC 7507): "I have failed with a newer version"

  // A record. It has no key share, so that a server of TLS 1.3 says which group it would have. `random`: 32 bytes.
  std::string to_bytes(std::string_view random) const;
};

struct ServerAnswer {
  enum class Kind : std::uint8_t { kMore, kHello, kAlert, kOther };
  Kind kind = Kind::kMore;  // of what there is: it needs more
  std::uint16_t version = 0;
  std::uint16_t cipher = 0;
  std::uint16_t group = 0;  // 0: none, or it is not told
  int dh_bits = 0;          // of a prime that the server brings along
  bool compression = false;
  bool renegotiation = false;  // RFC 5746
  bool extended_master_secret = false;
  std::uint8_t alert = 0;

  // From the first byte on, as far as a server can go without an answer: to its ServerHello in TLS 1.3, to its ServerHelloDone before.
  static ServerAnswer parse(std::string_view bytes);
};

}  // namespace rproxy::scan
