// The cipher suites of TLS, by the numbers of the wire.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace rproxy::scan {

enum class Strength : std::uint8_t {
  kModern,     // authenticated encryption with forward secrecy
  kOld,        // CBC, with forward secrecy
  kStaticKey,  // whoever gets the server's key some day reads all that was ever said
  kWeak,       // broken: 3DES, RC4, DES
  kNoneAtAll,  // no encryption, no authentication, or what was made for export
};

struct Cipher {
  std::uint16_t number;
  const char* name;  // OpenSSL's
  Strength strength;
};

// All that are asked for: of TLS 1.3, and of what came before.
std::span<const Cipher> tls13_ciphers();
std::span<const Cipher> older_ciphers();

// "0xABCD" where it is none of those.
std::string cipher_name(std::uint16_t number);
Strength cipher_strength(std::uint16_t number);

// Key exchange by groups: "X25519", "P-256", "X25519MLKEM768".
std::span<const std::uint16_t> known_groups();
std::string group_name(std::uint16_t number);

constexpr std::uint16_t kSsl3 = 0x0300;
constexpr std::uint16_t kTls10 = 0x0301;
constexpr std::uint16_t kTls11 = 0x0302;
constexpr std::uint16_t kTls12 = 0x0303;
constexpr std::uint16_t kTls13 = 0x0304;
// "TLS 1.3", "SSL 3".
std::string version_name(std::uint16_t version);

}  // namespace rproxy::scan
