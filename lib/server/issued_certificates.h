// Certificates that were had from the ACME server, by the name they are for: one for all generations that go by the same store.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "acme/challenge_handler.h"
#include "acme/options.h"
#include "net/tls_identities.h"

namespace rproxy::server {

// Any thread.
class IssuedCertificates {
 public:
  explicit IssuedCertificates(const acme::Options& options)
      : storage_(options.storage),
        directory_(options.directory),
        proofs_(std::make_shared<acme::HttpProofs>(storage_)) {}

  bool is_of(const acme::Options& options) const {
    return storage_ == options.storage && directory_ == options.directory;
  }

  // Reads those that are in the store and not known yet. Errors: kFile, where there can be no store.
  Result<void> read(const std::vector<std::string>& names);
  // Those that the store has a certificate for that has not ended.
  std::vector<std::string> stored_names() const;
  // Errors: kConfig, whatever OpenSSL has against it.
  Result<void> put(const std::string& name, std::shared_ptr<const x509::CertifiedKey> key);
  net::TlsIdentities::List of(const std::vector<std::string>& names) const;

  const std::shared_ptr<acme::HttpProofs>& proofs() const { return proofs_; }
  const std::shared_ptr<net::TlsChallenges>& challenges() const { return challenges_; }

 private:
  const std::string storage_;
  const std::string directory_;
  const std::shared_ptr<acme::HttpProofs> proofs_;
  const std::shared_ptr<net::TlsChallenges> challenges_ = std::make_shared<net::TlsChallenges>();
  mutable std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const net::TlsIdentity>> known_;
};

}  // namespace rproxy::server
