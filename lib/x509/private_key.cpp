#include "x509/private_key.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "x509/password_rounds.h"
#include "x509/refusal.h"

namespace rproxy::x509 {
namespace {

struct NamedType {
  KeyType type;
  std::string_view name;
};
constexpr NamedType kTypes[] = {
    {KeyType::kEcP256, "p256"},     {KeyType::kEcP384, "p384"},     {KeyType::kRsa2048, "rsa2048"},
    {KeyType::kRsa3072, "rsa3072"}, {KeyType::kRsa4096, "rsa4096"}, {KeyType::kEd25519, "ed25519"},
};

// Of PBKDF2 with HMAC-SHA-256: what OWASP asks for since 2023; a fraction of a second.
constexpr int kIterations = 600'000;

using Pkcs8Ptr = std::unique_ptr<PKCS8_PRIV_KEY_INFO, FreeBy<PKCS8_PRIV_KEY_INFO_free>>;

using EncryptedPtr = std::unique_ptr<X509_SIG, FreeBy<X509_SIG_free>>;

enum class Form : bool { kPem, kDer };

Result<Secret> write_key(const EVP_PKEY* key, std::string_view password, Form form) {
  const Pkcs8Ptr plain(EVP_PKEY2PKCS8(key));
  // Wipes what it held.
  const BioPtr out(BIO_new(BIO_s_secmem()));
  if (!plain || !out) return broken("can't encode the private key");
  bool is_written = false;
  if (password.empty()) {
    is_written = form == Form::kPem ? PEM_write_bio_PKCS8_PRIV_KEY_INFO(out.get(), plain.get()) == 1
                                    : i2d_PKCS8_PRIV_KEY_INFO_bio(out.get(), plain.get()) == 1;
  } else {
    const EncryptedPtr sealed(PKCS8_encrypt(-1, EVP_aes_256_cbc(), password.data(), static_cast<int>(password.size()),
                                            nullptr, 0, kIterations, plain.get()));
    if (!sealed) return broken("can't encrypt the private key");
    is_written = form == Form::kPem ? PEM_write_bio_PKCS8(out.get(), sealed.get()) == 1
                                    : i2d_PKCS8_bio(out.get(), sealed.get()) == 1;
  }
  if (!is_written) return broken("can't encode the private key");
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return Secret(std::string_view(data, static_cast<std::size_t>(std::max(size, 0L))));
}

// What OpenSSL is given when it wants a password, and what came of that.
struct Asked {
  const PasswordSource& source;
  bool is_needed = false;
  bool is_given = false;
};

int give_password(char* buffer, int size, int, void* context) {
  Asked& asked = *static_cast<Asked*>(context);
  asked.is_needed = true;
  const std::optional<Secret> password = asked.source ? asked.source() : std::nullopt;
  if (!password || password->view().size() > static_cast<std::size_t>(size)) return -1;
  asked.is_given = true;
  std::memcpy(buffer, password->view().data(), password->view().size());
  return static_cast<int>(password->view().size());
}

// Of one in PKCS#8; the older form has one round alone.
bool is_too_much(std::string_view text) {
  EncryptedPtr sealed;
  if (text.find("-----BEGIN ") != text.npos) {
    const BioPtr bio = bio_of(text);
    sealed.reset(PEM_read_bio_PKCS8(bio.get(), nullptr, nullptr, nullptr));
  } else {
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    sealed.reset(d2i_X509_SIG(nullptr, &data, static_cast<long>(text.size())));
  }
  ERR_clear_error();
  return sealed && !is_affordable(sealed.get());
}

KeyPtr parse_der(std::string_view text, Asked& asked) {
  const auto* data = reinterpret_cast<const unsigned char*>(text.data());
  if (KeyPtr key(d2i_AutoPrivateKey(nullptr, &data, static_cast<long>(text.size()))); key) return key;
  const BioPtr bio = bio_of(text);
  return KeyPtr(d2i_PKCS8PrivateKey_bio(bio.get(), nullptr, give_password, &asked));
}

}  // namespace

std::optional<KeyType> parse_key_type(std::string_view text) {
  const auto* found = std::ranges::find(kTypes, text, &NamedType::name);
  return found != std::end(kTypes) ? std::optional(found->type) : std::nullopt;
}

std::string_view to_string(KeyType type) { return std::ranges::find(kTypes, type, &NamedType::type)->name; }

Result<KeyPtr> generate_key(KeyType type) {
  KeyPtr key;
  switch (type) {
    case KeyType::kEcP256:
      key.reset(EVP_EC_gen("P-256"));
      break;
    case KeyType::kEcP384:
      key.reset(EVP_EC_gen("P-384"));
      break;
    case KeyType::kRsa2048:
      key.reset(EVP_RSA_gen(2048));
      break;
    case KeyType::kRsa3072:
      key.reset(EVP_RSA_gen(3072));
      break;
    case KeyType::kRsa4096:
      key.reset(EVP_RSA_gen(4096));
      break;
    case KeyType::kEd25519:
      key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
      break;
  }
  if (!key) return broken("can't make a private key");
  return key;
}

Result<Secret> private_key_pem(const EVP_PKEY* key, std::string_view password) {
  return write_key(key, password, Form::kPem);
}

Result<Secret> private_key_der(const EVP_PKEY* key, std::string_view password) {
  return write_key(key, password, Form::kDer);
}

Result<KeyPtr> parse_private_key(std::string_view text, const std::string& name, const PasswordSource& password) {
  ERR_clear_error();
  if (is_too_much(text))
    return refuse(fmt::format("{}: it asks for more rounds of its password than anybody has time for", name));
  Asked asked{password};
  KeyPtr key;
  if (text.find("-----BEGIN ") != text.npos) {
    const BioPtr bio = bio_of(text);
    key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, &asked));
  } else {
    key = parse_der(text, asked);
  }
  if (key) {
    ERR_clear_error();
    return key;
  }
  if (asked.is_given) return refuse(fmt::format("{}: that is not the password of the private key", name));
  if (asked.is_needed) return refuse(fmt::format("{}: the private key is encrypted, and there is no password", name));
  return refuse(fmt::format("{}: no private key in PEM or DER", name));
}

std::optional<KeyType> key_type_of(const EVP_PKEY* key) {
  constexpr std::array<std::pair<std::string_view, KeyType>, 6> kTypes{{{"ECDSA P-256", KeyType::kEcP256},
                                                                        {"ECDSA P-384", KeyType::kEcP384},
                                                                        {"RSA 2048", KeyType::kRsa2048},
                                                                        {"RSA 3072", KeyType::kRsa3072},
                                                                        {"RSA 4096", KeyType::kRsa4096},
                                                                        {"Ed25519", KeyType::kEd25519}}};
  const std::string text = describe_key(key);
  for (const auto& [word, type] : kTypes) {
    if (word == text) return type;
  }
  return std::nullopt;
}

std::string describe_key(const EVP_PKEY* key) {
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_RSA:
      return fmt::format("RSA {}", EVP_PKEY_get_bits(key));
    case EVP_PKEY_RSA_PSS:
      return fmt::format("RSA-PSS {}", EVP_PKEY_get_bits(key));
    case EVP_PKEY_ED25519:
      return "Ed25519";
    case EVP_PKEY_ED448:
      return "Ed448";
    case EVP_PKEY_DSA:
      return fmt::format("DSA {}", EVP_PKEY_get_bits(key));
    case EVP_PKEY_EC: {
      std::array<char, 64> group{};
      if (EVP_PKEY_get_group_name(key, group.data(), group.size(), nullptr) != 1)
        return fmt::format("ECDSA {}, a curve without a name", EVP_PKEY_get_bits(key));
      const char* nist = EC_curve_nid2nist(OBJ_txt2nid(group.data()));
      return fmt::format("ECDSA {}", nist != nullptr ? nist : group.data());
    }
    default: {
      const char* name = EVP_PKEY_get0_type_name(key);
      return fmt::format("{} {}", name != nullptr ? name : "unknown", EVP_PKEY_get_bits(key));
    }
  }
}

bool is_same_key(const EVP_PKEY* left, const EVP_PKEY* right) {
  const bool is_same = left != nullptr && right != nullptr && EVP_PKEY_eq(left, right) == 1;
  ERR_clear_error();
  return is_same;
}

}  // namespace rproxy::x509
