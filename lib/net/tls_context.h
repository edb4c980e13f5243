// What TLS connections of one listener, or to one upstream, have in common. One per worker; certificates, ticket keys and trusted
// authorities are shared between workers.
#pragma once

#include <openssl/ssl.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/options.h"
#include "net/tls_identities.h"
#include "net/tls_ticket_keys.h"
#include "x509/certificate.h"
#include "x509/trust_store.h"

namespace rproxy::net {

using SslCtxPtr = std::unique_ptr<SSL_CTX, x509::FreeBy<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, x509::FreeBy<SSL_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, x509::FreeBy<SSL_SESSION_free>>;

class TlsServerContext {
 public:
  // `tickets` outlives the context. `alpn`: protocols spoken, the preferred first. Errors: kConfig (a cipher or group list that OpenSSL
  // refuses).
  static Result<std::unique_ptr<TlsServerContext>> create(const TlsServerOptions& options,
                                                          std::shared_ptr<TlsPresence> presence, TicketKeys& tickets,
                                                          const std::vector<std::string>& alpn = {"http/1.1"});

  // Whether create() would take the options, whatever the certificates. Errors: kConfig, naming the list that OpenSSL refuses.
  static Result<void> check(const TlsServerOptions& options);

  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  // With what is shown just now. The context outlives it.
  SslPtr make_ssl();

 private:
  TlsServerContext(const TlsServerOptions& options, TicketKeys& tickets);
  Result<void> set_options(SSL_CTX* context);
  Result<void> renew();

  static int on_client_hello(SSL* ssl, int* alert, void* self);
  static int on_server_name(SSL* ssl, int* alert, void* self);
  static int on_certificate(SSL* ssl, void* self);
  static int on_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                     unsigned offered_size, void* self);
  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                       int seal);

  const TlsServerOptions options_;
  TicketKeys& tickets_;
  std::string alpn_;  // as on the wire (RFC 7301 3.1)
  std::shared_ptr<TlsPresence> presence_;
  std::uint64_t version_ = 0;  // of what follows
  std::shared_ptr<const TlsIdentities> shown_;
  std::string session_context_;  // of what was shown first
  SslCtxPtr context_;
};

class TlsClientContext {
 public:
  // Reads `ca_file`, or the system's authorities, unless a store that was read before is given. Errors: kFile, kConfig.
  static Result<std::unique_ptr<TlsClientContext>> create(const TlsClientOptions& options,
                                                          const x509::TrustStore* trusted = nullptr,
                                                          const std::vector<std::string>& alpn = {"http/1.1"});
  static Result<x509::TrustStore> read_trusted(const TlsClientOptions& options);

  TlsClientContext(const TlsClientContext&) = delete;
  TlsClientContext& operator=(const TlsClientContext&) = delete;

  // What is known of one server.
  struct Server {
    std::string name;
    SslSessionPtr session;  // the newest; null: none yet
    // When the certificate ends that the last full handshake showed, whatever was thought of it.
    std::optional<x509::WallTime> certificate_end;
  };
  // `name` is a host name or an IP address; it is asked for (names only) and verified. Lives as long as the context.
  Server& server(std::string_view name);
  // False for what no certificate can be held against, such as a socket's path.
  static bool is_verifiable(std::string_view name);

  // Ready to connect. The last session with that server is offered again.
  SslPtr make_ssl(Server& server) const;
  bool verifies() const { return verify_; }

 private:
  TlsClientContext() = default;
  static int on_new_session(SSL* ssl, SSL_SESSION* session);
  static int on_verified(int ok, X509_STORE_CTX* chain);

  SslCtxPtr context_;
  bool verify_ = true;
  std::map<std::string, Server, std::less<>> servers_;  // as many as the upstream has names
};

// Internal to both: protocols as on the wire, and an error of OpenSSL's about an option.
namespace tls {
std::string alpn_wire(const std::vector<std::string>& protocols);
tl::unexpected<Error> option_error(std::string_view option);
void set_common(SSL_CTX* context, TlsVersion min_version);
}  // namespace tls

}  // namespace rproxy::net
