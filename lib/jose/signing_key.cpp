#include "jose/signing_key.h"

#include <fmt/format.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <optional>
#include <utility>

#include "jose/base64url.h"

namespace rproxy::jose {
namespace {

using x509::FreeBy;
using NumberPtr = std::unique_ptr<BIGNUM, FreeBy<BN_free>>;
using DigestPtr = std::unique_ptr<EVP_MD_CTX, FreeBy<EVP_MD_CTX_free>>;
using SignaturePtr = std::unique_ptr<ECDSA_SIG, FreeBy<ECDSA_SIG_free>>;

std::string bytes_of(const BIGNUM* number, int size) {
  std::string bytes(static_cast<std::size_t>(size), '\0');
  BN_bn2binpad(number, reinterpret_cast<unsigned char*>(bytes.data()), size);
  return bytes;
}

// `size` 0: as many bytes as it needs.
std::optional<std::string> number_of(const EVP_PKEY* key, const char* name, int size = 0) {
  BIGNUM* number = nullptr;
  if (EVP_PKEY_get_bn_param(key, name, &number) != 1) return std::nullopt;
  const NumberPtr owned(number);
  return encode_base64url(bytes_of(number, size != 0 ? size : BN_num_bytes(number)));
}

std::string curve_of(const EVP_PKEY* key) {
  std::array<char, 64> name{};
  std::size_t size = 0;
  if (EVP_PKEY_get_group_name(key, name.data(), name.size(), &size) != 1) return {};
  return {name.data(), size};
}

int coordinate_size(std::string_view algorithm) { return algorithm == "ES256" ? 32 : 48; }

std::optional<std::string> elliptic_jwk(const EVP_PKEY* key, std::string_view algorithm) {
  const int size = coordinate_size(algorithm);
  const auto x = number_of(key, OSSL_PKEY_PARAM_EC_PUB_X, size);
  const auto y = number_of(key, OSSL_PKEY_PARAM_EC_PUB_Y, size);
  if (!x || !y) return std::nullopt;
  const std::string_view curve = algorithm == "ES256" ? "P-256" : "P-384";
  return fmt::format(R"({{"crv":"{}","kty":"EC","x":"{}","y":"{}"}})", curve, *x, *y);
}

std::optional<std::string> rsa_jwk(const EVP_PKEY* key) {
  const auto e = number_of(key, OSSL_PKEY_PARAM_RSA_E);
  const auto n = number_of(key, OSSL_PKEY_PARAM_RSA_N);
  if (!e || !n) return std::nullopt;
  return fmt::format(R"({{"e":"{}","kty":"RSA","n":"{}"}})", *e, *n);
}

// DER to the two numbers, one behind the other.
std::optional<std::string> two_numbers(std::string_view der, int size) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const SignaturePtr signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size())));
  if (signature == nullptr) return std::nullopt;
  return bytes_of(ECDSA_SIG_get0_r(signature.get()), size) + bytes_of(ECDSA_SIG_get0_s(signature.get()), size);
}

tl::unexpected<Error> openssl_error(std::string_view what) {
  return fail(ErrorCode::kInternal, Side::kLocal, Retry::kNever,
              fmt::format("{}: {}", what, x509::take_openssl_reason()));
}

}  // namespace

Result<SigningKey> SigningKey::create(x509::KeyPtr key) {
  std::string_view algorithm;
  std::optional<std::string> jwk;
  if (EVP_PKEY_get_base_id(key.get()) == EVP_PKEY_RSA) {
    algorithm = "RS256";
    jwk = rsa_jwk(key.get());
  } else if (const std::string curve = curve_of(key.get()); curve == "prime256v1" || curve == "secp384r1") {
    algorithm = curve == "prime256v1" ? "ES256" : "ES384";
    jwk = elliptic_jwk(key.get(), algorithm);
  }
  if (!jwk) {
    return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, "not a key to sign with: P-256, P-384 or RSA");
  }
  return SigningKey(std::move(key), algorithm, std::move(*jwk));
}

std::string SigningKey::thumbprint() const { return encode_base64url(sha256(jwk_)); }

Result<std::string> SigningKey::sign(std::string_view input) const {
  const DigestPtr context(EVP_MD_CTX_new());
  const EVP_MD* const digest = algorithm_ == "ES384" ? EVP_sha384() : EVP_sha256();
  const auto* const data = reinterpret_cast<const unsigned char*>(input.data());
  std::size_t size = 0;
  if (EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, data, input.size()) != 1) {
    return openssl_error("signing");
  }
  std::string signature(size, '\0');
  auto* const out = reinterpret_cast<unsigned char*>(signature.data());
  if (EVP_DigestSign(context.get(), out, &size, data, input.size()) != 1) return openssl_error("signing");
  signature.resize(size);
  if (algorithm_ == "RS256") return signature;
  auto numbers = two_numbers(signature, coordinate_size(algorithm_));
  if (!numbers) return openssl_error("signing");
  return std::move(*numbers);
}

std::string sha256(std::string_view bytes) {
  std::string digest(32, '\0');
  EVP_Digest(bytes.data(), bytes.size(), reinterpret_cast<unsigned char*>(digest.data()), nullptr, EVP_sha256(),
             nullptr);
  return digest;
}

std::string hmac_sha256(std::string_view key, std::string_view bytes) {
  std::string code(32, '\0');
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
       bytes.size(), reinterpret_cast<unsigned char*>(code.data()), nullptr);
  return code;
}

}  // namespace rproxy::jose
