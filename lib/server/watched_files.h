// Certificates, keys and authorities in files that may change while they are used.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/options.h"
#include "net/tls_identities.h"
#include "x509/trust_store.h"

namespace rproxy::server {

// What a file is told apart by without reading it; of none that is not there.
struct FileStamp {
  std::int64_t changed = 0;
  std::uint64_t inode = 0;
  std::uint64_t size = 0;
  bool operator==(const FileStamp&) const = default;

  static FileStamp of(const std::string& file);
};

// What was read for several who name the same files.
using LoadedIdentities = std::map<std::pair<std::string, std::string>, std::shared_ptr<const net::TlsIdentity>>;

// Certificates with their keys. For one thread.
class IdentityFiles {
 public:
  // Errors: kFile, kConfig.
  static Result<IdentityFiles> load(std::vector<net::CertificateFiles> files, LoadedIdentities& loaded);

  // Looks at the files again. True: something else is there, and was taken. What won't do leaves what was there; a line in the log tells of
  // either.
  bool reread();

  const net::TlsIdentities::List& shown() const { return shown_; }  // as files()
  const std::vector<net::CertificateFiles>& files() const { return files_; }

 private:
  using Stamps = std::pair<FileStamp, FileStamp>;  // of cert and key
  static Stamps stamps_of(const net::CertificateFiles& files);

  std::vector<net::CertificateFiles> files_;
  std::vector<Stamps> stamps_;
  net::TlsIdentities::List shown_;
};

// Whose certificates are taken, and the lists of those revoked. For one thread.
class TrustFiles {
 public:
  // `lists`: "" where there are none. Errors: kFile, kConfig.
  static Result<TrustFiles> load(std::string authorities, std::string lists);

  // As of IdentityFiles.
  bool reread();

  const std::shared_ptr<const x509::TrustStore>& trusted() const { return trusted_; }

 private:
  TrustFiles() = default;
  Result<void> read();

  std::string authorities_;
  std::string lists_;
  std::pair<FileStamp, FileStamp> stamps_;
  std::shared_ptr<const x509::TrustStore> trusted_;
};

}  // namespace rproxy::server
