// Certificates, trusted authorities and ticket keys of a configuration, read once and shared by all workers.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "config/config.h"
#include "net/tls_context.h"
#include "server/issued_certificates.h"
#include "upstream/upstream.h"

namespace rproxy::server {

class TlsMaterial {
 public:
  TlsMaterial() = default;
  // Reads every file and proves that each context can be made; a worker has nothing left to fail on. `config` outlives the material.
  // Of `previous` the keys of tickets go on, and authorities whose file says the same. Errors: kFile, kConfig.
  static Result<TlsMaterial> load(const config::Config& config, const TlsMaterial* previous = nullptr);

  // What certificates are to be had from the ACME server for; none where there is none.
  const std::vector<std::string>& names_to_certify() const { return names_; }
  // Null: there is none.
  const std::shared_ptr<IssuedCertificates>& issued() const { return issued_; }

  // On one thread, from when it serves: a certificate has come for a name. Errors: kConfig.
  Result<void> show_issued(const std::string& name, std::shared_ptr<const x509::CertifiedKey> key) const;
  // The same: what has come while another configuration served.
  Result<void> show_again() const;
  // The same: files have changed. Shows what they say now, or what was shown before where they won't do; a line in the log says which.
  void reread_files() const;
  // Those of files that are shown, once each, with the file.
  std::vector<std::pair<std::string, x509::Certificate>> from_files() const;
  // Whether other certificates are shown than by `other`.
  bool shows_others(const TlsMaterial& other) const;
  // Whom an upstream's certificates are held against; null: nobody. The same object goes on as long as the file says the same.
  std::shared_ptr<const x509::TrustStore> trusted(const upstream::Upstream& upstream) const;

  // For one worker. `listener_index` has TLS, and so has the upstream.
  std::unique_ptr<net::TlsServerContext> server_context(std::size_t listener_index) const;
  // The authorities it trusts; null where it was not read, because nobody is verified.
  const x509::TrustStore* trusted_by(const upstream::Options& upstream) const;
  std::unique_ptr<net::TlsClientContext> client_context(const upstream::Upstream& upstream) const;

 private:
  // What files are told apart by without reading them.
  struct FileStamp {
    std::int64_t changed = 0;
    std::uint64_t inode = 0;
    std::uint64_t size = 0;
    bool operator==(const FileStamp&) const = default;
  };
  struct FileStamps {
    FileStamp cert;
    FileStamp key;
    bool operator==(const FileStamps&) const = default;
  };
  static FileStamp stamp_of(const std::string& file);

  struct Door {
    const net::TlsServerOptions* options = nullptr;  // the configuration's, as is the next
    const std::vector<std::string>* protocols = nullptr;
    bool has_acme = false;
    // Those of files, in the options' order; they may become others.
    std::shared_ptr<net::TlsIdentities::List> from_files;
    std::shared_ptr<std::vector<FileStamps>> stamps;  // of the same
    std::shared_ptr<net::TlsPresence> presence;       // null: plain
  };
  using LoadedKeys = std::map<std::pair<std::string, std::string>, std::shared_ptr<const net::TlsIdentity>>;

  Result<void> load_door(const config::Listener& listener, LoadedKeys& loaded);
  Result<void> find_names(const config::Config& config, const TlsMaterial* previous);
  Result<void> show(Door& door);
  // Of files, then of the ACME server; of none at all a placeholder.
  Result<std::shared_ptr<const net::TlsIdentities>> identities_of(const Door& door) const;
  Result<void> load_upstream(const upstream::Options& upstream, const TlsMaterial* previous);

  std::vector<Door> doors_;                                                 // as the listeners
  std::map<std::string, std::shared_ptr<const x509::TrustStore>> trusted_;  // by file; "": the system's
  std::vector<std::string> names_;
  std::shared_ptr<IssuedCertificates> issued_;
  std::shared_ptr<net::TicketKeys> tickets_;
};

}  // namespace rproxy::server
