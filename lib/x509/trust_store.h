// The authorities a client trusts, read once and shared by all who verify with them.
#pragma once

#include <memory>
#include <string>

#include "base/result.h"
#include "x509/handles.h"

namespace rproxy::x509 {

class TrustStore {
 public:
  // The system's, as OpenSSL and the usual distributions keep it.
  static Result<TrustStore> system();
  // Exactly the certificates of a PEM file; one of them need not be a root. Errors: kFile, kConfig.
  static Result<TrustStore> from_file(const std::string& path);

  X509_STORE* native() const { return store_.get(); }

 private:
  explicit TrustStore(StorePtr store) : store_(std::move(store)) {}

  std::shared_ptr<X509_STORE> store_;
};

}  // namespace rproxy::x509
