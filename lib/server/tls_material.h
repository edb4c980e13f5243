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
#include "server/on_demand.h"
#include "server/watched_files.h"
#include "upstream/upstream.h"

namespace rproxy::server {

class TlsMaterial {
 public:
  TlsMaterial() = default;
  // Reads every file and proves that each context can be made; a worker has nothing left to fail on. `config` outlives the material.
  // Of `previous` the keys of tickets go on, and authorities whose file says the same. Errors: kFile, kConfig.
  static Result<TlsMaterial> load(const config::Config& config, const TlsMaterial* previous = nullptr);

  // What certificates are to be had from the ACME server for, just now; none where there is none.
  std::vector<std::string> names_to_certify() const;
  // Null: nothing is made for who asks.
  const std::shared_ptr<OnDemand>& on_demand() const { return on_demand_; }
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
  // Those that are shown, and that an authority can be asked about: where that is wanted, and the issuer is with them.
  net::TlsIdentities::List to_staple() const;
  // Whether other certificates are shown than by `other`.
  bool shows_others(const TlsMaterial& other) const;
  // Whom an upstream's certificates are held against; null: nobody. The same object goes on as long as the file says the same.
  std::shared_ptr<const x509::TrustStore> trusted(const upstream::Upstream& upstream) const;

  // For one worker. `listener_index` has TLS, and so has the upstream.
  std::unique_ptr<net::TlsServerContext> server_context(std::size_t listener_index) const;
  // For checks of an upstream, which may use TLS where it does not. The material outlives who goes by it.
  net::TlsClientMaterial client_material(const upstream::Options& upstream) const;
  std::unique_ptr<net::TlsClientContext> client_context(const upstream::Upstream& upstream) const;

 private:
  struct Door {
    const net::TlsServerOptions* options = nullptr;  // the configuration's, as is the next
    const std::vector<std::string>* protocols = nullptr;
    bool has_acme = false;
    // Both null where it is plain, the second where no client is asked; what is in them may become another.
    std::shared_ptr<IdentityFiles> from_files;
    std::shared_ptr<TrustFiles> clients;
    std::shared_ptr<net::TlsPresence> presence;
  };
  // What upstreams are shown.
  struct Own {
    std::shared_ptr<IdentityFiles> files;
    std::shared_ptr<net::TlsPresence> presence;
  };
  using OwnKey = std::pair<std::string, std::string>;  // the files

  Result<void> load_door(const config::Listener& listener, LoadedIdentities& loaded);
  Result<void> find_names(const config::Config& config, const TlsMaterial* previous);
  Result<void> show(Door& door);
  // Of files, then of the ACME server; of none at all a placeholder.
  Result<std::shared_ptr<const net::TlsIdentities>> identities_of(const Door& door) const;
  Result<void> load_upstream(const upstream::Options& upstream, const TlsMaterial* previous);
  Result<void> load_trusted(const net::TlsClientOptions& options, const TlsMaterial* previous);
  Result<void> load_own(const net::CertificateFiles& files, const TlsMaterial* previous);

  std::vector<Door> doors_;                                                 // as the listeners
  std::map<std::string, std::shared_ptr<const x509::TrustStore>> trusted_;  // by file; "": the system's
  std::map<OwnKey, Own> own_;
  std::vector<std::string> names_;  // of the configuration
  std::shared_ptr<OnDemand> on_demand_;
  std::shared_ptr<IssuedCertificates> issued_;
  std::shared_ptr<net::TicketKeys> tickets_;
};

}  // namespace rproxy::server
