// The authorities a client trusts, read once and shared by all who verify with them.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "x509/certificate.h"
#include "x509/handles.h"

namespace rproxy::x509 {

class TrustStore {
 public:
  // The system's, as OpenSSL and the usual distributions keep it.
  static Result<TrustStore> system();
  // Exactly the certificates of a PEM file; one of them need not be a root. Errors: kFile, kConfig.
  static Result<TrustStore> from_file(const std::string& path);
  // The same, and none that the lists of a PEM file revoke (RFC 5280 5): each authority of a chain needs a list there that has not run out.
  static Result<TrustStore> from_files(const std::string& authorities, const std::string& revocation_lists);

  // Whether it has the one that has issued `certificate`.
  bool has_issuer_of(const Certificate& certificate) const { return issuer_of(certificate).has_value(); }
  std::optional<Certificate> issuer_of(const Certificate& certificate) const;
  // Whether `certificate` is one of them.
  bool has(const Certificate& certificate) const;

  X509_STORE* native() const { return store_.get(); }
  // Whose lists of revoked certificates are in it, and until when they are good; nothing: for ever.
  using Lists = std::vector<std::pair<std::string, std::optional<WallTime>>>;
  const Lists& revocation_lists() const { return lists_; }
  // When the first of them runs out.
  std::optional<WallTime> good_until() const;
  // All that were read, in their order; none of the system's where those are not one file.
  const std::vector<Certificate>& certificates() const { return certificates_; }
  // Of the text it was read from; "": it is not known.
  const std::string& digest() const { return digest_; }
  // Read from the same text, as far as is known.
  bool is_same(const TrustStore& other) const { return !digest_.empty() && digest_ == other.digest_; }

 private:
  TrustStore(StorePtr store, std::vector<Certificate> certificates, std::string digest)
      : store_(std::move(store)), certificates_(std::move(certificates)), digest_(std::move(digest)) {}
  static Result<TrustStore> read(const std::string& path);
  Result<void> add_lists(const std::string& path);

  std::shared_ptr<X509_STORE> store_;
  std::vector<Certificate> certificates_;
  Lists lists_;
  std::string digest_;  // of the file's text; empty where there is none
};

}  // namespace rproxy::x509
