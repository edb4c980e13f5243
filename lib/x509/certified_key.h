// A certificate chain and its private key, as a TLS server presents them.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.h"
#include "x509/openssl_ptr.h"

namespace rproxy::x509 {

class CertifiedKey {
 public:
  // PEM files: `cert_file` the leaf and then its chain, `key_file` an unencrypted private key that belongs to the leaf.
  // Errors: kFile (can't be read, too large), kConfig (not PEM, encrypted, not a pair); context names the file.
  static Result<CertifiedKey> load(const std::string& cert_file, const std::string& key_file);

  X509* leaf() const { return chain_.front().get(); }
  EVP_PKEY* key() const { return key_.get(); }
  const std::vector<X509Ptr>& chain() const { return chain_; }  // the leaf first
  // The DNS names of the leaf's SAN, lower case; the common name is not looked at (RFC 9525 6.3).
  const std::vector<std::string>& names() const { return names_; }
  std::chrono::system_clock::time_point not_before() const { return not_before_; }
  std::chrono::system_clock::time_point not_after() const { return not_after_; }

 private:
  CertifiedKey() = default;

  std::vector<X509Ptr> chain_;
  KeyPtr key_;
  std::vector<std::string> names_;
  std::chrono::system_clock::time_point not_before_;
  std::chrono::system_clock::time_point not_after_;
};

}  // namespace rproxy::x509
