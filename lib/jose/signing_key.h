// A private key that signs as JWS has it (RFC 7515), by its kind (RFC 7518 3.1): P-256 by ES256, P-384 by ES384, RSA by RS256.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "x509/handles.h"

namespace rproxy::jose {

class SigningKey {
 public:
  // Errors: kConfig, for any other kind of key.
  static Result<SigningKey> create(x509::KeyPtr key);

  EVP_PKEY* native() const { return key_.get(); }
  std::string_view algorithm() const { return algorithm_; }
  // The public key, its required members alone and in the order of their names: what is hashed for the thumbprint (RFC 7638 3).
  const std::string& jwk() const { return jwk_; }
  // SHA-256 of that, as Base64url.
  std::string thumbprint() const;

  // The bytes of a signature; an ECDSA one as its two numbers (RFC 7518 3.4).
  Result<std::string> sign(std::string_view input) const;

 private:
  SigningKey(x509::KeyPtr key, std::string_view algorithm, std::string jwk)
      : key_(std::move(key)), algorithm_(algorithm), jwk_(std::move(jwk)) {}

  std::shared_ptr<EVP_PKEY> key_;
  std::string_view algorithm_;
  std::string jwk_;
};

std::string sha256(std::string_view bytes);
// HS256's (RFC 7518 3.2).
std::string hmac_sha256(std::string_view key, std::string_view bytes);

}  // namespace rproxy::jose
