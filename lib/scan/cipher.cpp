#include "scan/cipher.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace rproxy::scan {
namespace {

using enum Strength;

constexpr Cipher kTls13Ciphers[] = {
    {0x1301, "TLS_AES_128_GCM_SHA256", kModern},       {0x1302, "TLS_AES_256_GCM_SHA384", kModern},
    {0x1303, "TLS_CHACHA20_POLY1305_SHA256", kModern}, {0x1304, "TLS_AES_128_CCM_SHA256", kModern},
    {0x1305, "TLS_AES_128_CCM_8_SHA256", kModern},
};

constexpr Cipher kOlderCiphers[] = {
    {0xc02b, "ECDHE-ECDSA-AES128-GCM-SHA256", kModern},
    {0xc02f, "ECDHE-RSA-AES128-GCM-SHA256", kModern},
    {0xc02c, "ECDHE-ECDSA-AES256-GCM-SHA384", kModern},
    {0xc030, "ECDHE-RSA-AES256-GCM-SHA384", kModern},
    {0xcca9, "ECDHE-ECDSA-CHACHA20-POLY1305", kModern},
    {0xcca8, "ECDHE-RSA-CHACHA20-POLY1305", kModern},
    {0xccaa, "DHE-RSA-CHACHA20-POLY1305", kModern},
    {0x009e, "DHE-RSA-AES128-GCM-SHA256", kModern},
    {0x009f, "DHE-RSA-AES256-GCM-SHA384", kModern},
    {0xc0ac, "ECDHE-ECDSA-AES128-CCM", kModern},
    {0xc0ad, "ECDHE-ECDSA-AES256-CCM", kModern},
    {0xc09e, "DHE-RSA-AES128-CCM", kModern},
    {0xc09f, "DHE-RSA-AES256-CCM", kModern},
    {0xc05c, "ECDHE-ECDSA-ARIA128-GCM-SHA256", kModern},
    {0xc060, "ECDHE-ARIA128-GCM-SHA256", kModern},
    {0xc023, "ECDHE-ECDSA-AES128-SHA256", kOld},
    {0xc027, "ECDHE-RSA-AES128-SHA256", kOld},
    {0xc024, "ECDHE-ECDSA-AES256-SHA384", kOld},
    {0xc028, "ECDHE-RSA-AES256-SHA384", kOld},
    {0xc009, "ECDHE-ECDSA-AES128-SHA", kOld},
    {0xc013, "ECDHE-RSA-AES128-SHA", kOld},
    {0xc00a, "ECDHE-ECDSA-AES256-SHA", kOld},
    {0xc014, "ECDHE-RSA-AES256-SHA", kOld},
    {0x0067, "DHE-RSA-AES128-SHA256", kOld},
    {0x006b, "DHE-RSA-AES256-SHA256", kOld},
    {0x0033, "DHE-RSA-AES128-SHA", kOld},
    {0x0039, "DHE-RSA-AES256-SHA", kOld},
    {0x0045, "DHE-RSA-CAMELLIA128-SHA", kOld},
    {0x0088, "DHE-RSA-CAMELLIA256-SHA", kOld},
    {0x009c, "AES128-GCM-SHA256", kStaticKey},
    {0x009d, "AES256-GCM-SHA384", kStaticKey},
    {0xc09c, "AES128-CCM", kStaticKey},
    {0xc09d, "AES256-CCM", kStaticKey},
    {0x003c, "AES128-SHA256", kStaticKey},
    {0x003d, "AES256-SHA256", kStaticKey},
    {0x002f, "AES128-SHA", kStaticKey},
    {0x0035, "AES256-SHA", kStaticKey},
    {0x0041, "CAMELLIA128-SHA", kStaticKey},
    {0x0084, "CAMELLIA256-SHA", kStaticKey},
    {0x0096, "SEED-SHA", kWeak},
    {0x0007, "IDEA-CBC-SHA", kWeak},
    {0xc008, "ECDHE-ECDSA-DES-CBC3-SHA", kWeak},
    {0xc012, "ECDHE-RSA-DES-CBC3-SHA", kWeak},
    {0x0016, "DHE-RSA-DES-CBC3-SHA", kWeak},
    {0x000a, "DES-CBC3-SHA", kWeak},
    {0xc007, "ECDHE-ECDSA-RC4-SHA", kWeak},
    {0xc011, "ECDHE-RSA-RC4-SHA", kWeak},
    {0x0005, "RC4-SHA", kWeak},
    {0x0004, "RC4-MD5", kWeak},
    {0x0015, "DHE-RSA-DES-CBC-SHA", kWeak},
    {0x0009, "DES-CBC-SHA", kWeak},
    {0x0003, "EXP-RC4-MD5", kNoneAtAll},
    {0x0006, "EXP-RC2-CBC-MD5", kNoneAtAll},
    {0x0008, "EXP-DES-CBC-SHA", kNoneAtAll},
    {0x0014, "EXP-DHE-RSA-DES-CBC-SHA", kNoneAtAll},
    {0x0017, "EXP-ADH-RC4-MD5", kNoneAtAll},
    {0x0018, "ADH-RC4-MD5", kNoneAtAll},
    {0x0034, "ADH-AES128-SHA", kNoneAtAll},
    {0x003a, "ADH-AES256-SHA", kNoneAtAll},
    {0x00a6, "ADH-AES128-GCM-SHA256", kNoneAtAll},
    {0x00a7, "ADH-AES256-GCM-SHA384", kNoneAtAll},
    {0xc018, "AECDH-AES128-SHA", kNoneAtAll},
    {0xc019, "AECDH-AES256-SHA", kNoneAtAll},
    {0xc015, "AECDH-NULL-SHA", kNoneAtAll},
    {0xc006, "ECDHE-ECDSA-NULL-SHA", kNoneAtAll},
    {0xc010, "ECDHE-RSA-NULL-SHA", kNoneAtAll},
    {0x003b, "NULL-SHA256", kNoneAtAll},
    {0x0002, "NULL-SHA", kNoneAtAll},
    {0x0001, "NULL-MD5", kNoneAtAll},
};

struct Group {
  std::uint16_t number;
  const char* name;
};
constexpr Group kGroups[] = {
    {0x11ec, "X25519MLKEM768"},
    {0x11eb, "SecP256r1MLKEM768"},
    {0x11ed, "SecP384r1MLKEM1024"},
    {0x001d, "X25519"},
    {0x0017, "P-256"},
    {0x0018, "P-384"},
    {0x0019, "P-521"},
    {0x001e, "X448"},
    {0x0100, "ffdhe2048"},
    {0x0101, "ffdhe3072"},
    {0x0102, "ffdhe4096"},
    {0x001a, "brainpoolP256r1"},
    {0x001b, "brainpoolP384r1"},
    {0x0016, "secp256k1"},
    {0x0015, "P-224"},
    {0x0013, "P-192"},
};

constexpr auto group_numbers() {
  std::array<std::uint16_t, std::size(kGroups)> numbers{};
  for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] = kGroups[i].number;
  return numbers;
}
constexpr auto kGroupNumbers = group_numbers();

const Cipher* find(std::uint16_t number) {
  for (const auto& list : {tls13_ciphers(), older_ciphers()}) {
    const auto found = std::ranges::find(list, number, &Cipher::number);
    if (found != list.end()) return &*found;
  }
  return nullptr;
}

}  // namespace

std::span<const Cipher> tls13_ciphers() { return kTls13Ciphers; }
std::span<const Cipher> older_ciphers() { return kOlderCiphers; }

std::string cipher_name(std::uint16_t number) {
  const Cipher* found = find(number);
  return found != nullptr ? found->name : fmt::format("0x{:04X}", number);
}

Strength cipher_strength(std::uint16_t number) {
  const Cipher* found = find(number);
  return found != nullptr ? found->strength : kWeak;
}

std::span<const std::uint16_t> known_groups() { return kGroupNumbers; }

std::string group_name(std::uint16_t number) {
  const auto* found = std::ranges::find(kGroups, number, &Group::number);
  return found != std::end(kGroups) ? found->name : fmt::format("0x{:04X}", number);
}

std::string version_name(std::uint16_t version) {
  switch (version) {
    case kSsl3:
      return "SSL 3";
    case kTls10:
      return "TLS 1.0";
    case kTls11:
      return "TLS 1.1";
    case kTls12:
      return "TLS 1.2";
    case kTls13:
      return "TLS 1.3";
    default:
      return fmt::format("0x{:04X}", version);
  }
}

}  // namespace rproxy::scan
