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
#include "upstream/upstream.h"

namespace rproxy::server {

class TlsMaterial {
 public:
  TlsMaterial() = default;
  // Reads every file and proves that each context can be made; a worker has nothing left to fail on. `config` outlives the material.
  // Of `previous` the keys of tickets go on, and authorities whose file says the same. Errors: kFile, kConfig.
  static Result<TlsMaterial> load(const config::Config& config, const TlsMaterial* previous = nullptr);

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
  struct Door {
    const net::TlsServerOptions* options = nullptr;  // the configuration's, as is the next
    const std::vector<std::string>* protocols = nullptr;
    net::TlsServerContext::Keys keys;
  };
  using LoadedKeys = std::map<std::pair<std::string, std::string>, std::shared_ptr<const x509::CertifiedKey>>;

  Result<void> load_door(const config::Listener& listener, LoadedKeys& loaded);
  Result<void> load_upstream(const upstream::Options& upstream, const TlsMaterial* previous);

  std::vector<Door> doors_;                                                 // as the listeners
  std::map<std::string, std::shared_ptr<const x509::TrustStore>> trusted_;  // by file; "": the system's
  std::shared_ptr<net::TicketKeys> tickets_;
};

}  // namespace rproxy::server
