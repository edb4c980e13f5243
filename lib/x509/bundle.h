// What a file has of certificates, requests, lists of revoked ones and keys, in PEM, DER or PKCS#12, whatever it is called.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "x509/certificate.h"
#include "x509/private_key.h"
#include "x509/request.h"

namespace rproxy::x509 {

using RevocationListPtr = std::shared_ptr<X509_CRL>;

struct Bundle {
  enum class Form : std::uint8_t { kPem, kDer, kPkcs12 };
  Form form = Form::kPem;
  std::vector<Certificate> certificates;  // in the order they have there
  std::vector<KeyPtr> keys;               // private ones
  std::vector<KeyPtr> public_keys;
  std::vector<Request> requests;
  std::vector<RevocationListPtr> revocation_lists;
  // In PEM, what is of another kind, by its label.
  std::vector<std::string> others;

  std::size_t size() const {
    return certificates.size() + keys.size() + public_keys.size() + requests.size() + revocation_lists.size();
  }

  // A key that is encrypted, and PKCS#12, ask for a password. Errors: kConfig, naming `name`: nothing of the kind there, something
  // malformed, too much, or not the password.
  static Result<Bundle> parse(std::string_view text, const std::string& name, const PasswordSource& password = {});
};

// A private key, the certificate that it belongs to, and its chain, as PKCS#12 (RFC 7292): AES-256, PBKDF2 and HMAC by SHA-256. `friendly` is
// what key stores show it as. An empty password is one. Errors: kConfig, where the key is not the certificate's.
Result<Secret> to_pkcs12(const std::vector<Certificate>& chain, EVP_PKEY* key, std::string_view password,
                         const std::string& friendly);

// One item each.
std::string to_pem(X509_CRL* list);
std::string to_der(X509_CRL* list);
std::string public_key_pem(EVP_PKEY* key);
std::string public_key_der(EVP_PKEY* key);

}  // namespace rproxy::x509
