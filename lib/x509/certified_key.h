// A private key with the certificate chain that vouches for it, as a server presents it.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "x509/certificate.h"

namespace rproxy::x509 {

class CertifiedKey {
 public:
  // Reads PEM files: `cert` holds the leaf and then its chain, `key` the leaf's key (RSA, EC or Ed25519), not encrypted; both may be
  // one file. Errors (Side::kLocal, naming the file): kFile where it can't be read, kConfig where its content won't do.
  static Result<CertifiedKey> load(const std::string& cert_file, const std::string& key_file);
  // The same from text; `cert_name` and `key_name` stand for the files in messages.
  static Result<CertifiedKey> parse(std::string_view cert, std::string_view key, const std::string& cert_name,
                                    const std::string& key_name);

  // A chain and its key. The names stand for the files in messages. Errors: kConfig where they don't belong together.
  static Result<CertifiedKey> pair(std::vector<Certificate> chain, KeyPtr key, const std::string& cert_name,
                                   const std::string& key_name);

  const Certificate& leaf() const { return chain_.front(); }
  const std::vector<Certificate>& chain() const { return chain_; }
  EVP_PKEY* key() const { return key_.get(); }
  // EVP_PKEY_RSA, EVP_PKEY_EC, EVP_PKEY_ED25519.
  int key_type() const { return EVP_PKEY_get_base_id(key_.get()); }

 private:
  CertifiedKey(std::vector<Certificate> chain, KeyPtr key) : chain_(std::move(chain)), key_(std::move(key)) {}

  std::vector<Certificate> chain_;
  std::shared_ptr<EVP_PKEY> key_;
};

// The two halves of CertifiedKey::load(), with its errors.
Result<std::vector<Certificate>> load_chain(const std::string& file);
Result<KeyPtr> load_key(const std::string& file);

// All certificates of a PEM text, in order. Errors: kConfig, naming `name`: none there, too many, one malformed.
Result<std::vector<Certificate>> parse_certificates(std::string_view pem, const std::string& name,
                                                    std::size_t count_max);

// The whole of a regular file. Errors: kFile, naming it, also where it is larger than `size_max`.
Result<std::string> read_file(const std::string& path, std::size_t size_max);

}  // namespace rproxy::x509
