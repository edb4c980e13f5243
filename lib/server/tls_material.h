// Certificates and ticket keys of a configuration, read once and shared by all workers.
#pragma once

#include <map>
#include <memory>
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
  // Reads every certificate and proves that each context can be made. Warns of certificates that have expired or soon will.
  // Errors: kFile, kConfig.
  static Result<TlsMaterial> load(const config::Config& config);

  // For one worker. `listener_index` has TLS.
  std::unique_ptr<net::TlsServerContext> server_context(std::size_t listener_index) const;
  std::unique_ptr<net::TlsClientContext> client_context(const upstream::Upstream& upstream) const;

 private:
  using Keys = std::vector<std::shared_ptr<const x509::CertifiedKey>>;
  struct Door {
    const net::TlsServerOptions* options = nullptr;  // the configuration's
    Keys keys;
    std::shared_ptr<net::TicketKeys> tickets;
  };
  std::vector<Door> doors_;  // as the listeners
};

}  // namespace rproxy::server
