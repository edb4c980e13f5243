// What TLS connections of one listener, or to one upstream, have in common. One per worker; certificates, ticket keys and trusted
// authorities are shared between workers.
#pragma once

#include <openssl/ssl.h>

#include <cstdint>
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
  // A handshake that has come to SSL_ERROR_WANT_X509_LOOKUP asks for a certificate to be made, goes on when it is told, and does not wait
  // again.
  void have_made(SSL* ssl, std::function<void(bool)> told);
  // It is only validated that this machine answers to a name (RFC 8737): nothing is served.
  static bool is_for_validation(const SSL* ssl);
  bool takes_early_data() const { return options_.early_data && options_.session_tickets; }

 private:
  TlsServerContext(const TlsServerOptions& options, TicketKeys& tickets);
  Result<void> set_options(SSL_CTX* context);
  void ask_clients(SSL_CTX* context) const;
  Result<void> renew();
  bool may_come(const SSL* ssl) const;
  bool is_good_for(const X509* shown) const;
  static int begin_validation(SSL* ssl);

  static int on_client_hello(SSL* ssl, int* alert, void* self);
  static int on_server_name(SSL* ssl, int* alert, void* self);
  static int on_certificate(SSL* ssl, void* self);
  static int on_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                     unsigned offered_size, void* self);
  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                       int seal);
  static int on_status(SSL* ssl, void* self);
  static int on_client_verified(int ok, X509_STORE_CTX* chain);
  static int on_ticket_made(SSL* ssl, void* self);
  static SSL_TICKET_RETURN on_ticket_opened(SSL* ssl, SSL_SESSION* session, const unsigned char* key_name,
                                            std::size_t key_name_size, SSL_TICKET_STATUS status, void* self);

  const TlsServerOptions options_;
  TicketKeys& tickets_;
  std::string alpn_;  // as on the wire (RFC 7301 3.1)
  std::shared_ptr<TlsPresence> presence_;
  std::uint64_t version_ = 0;  // of what follows
  std::shared_ptr<const TlsIdentities> shown_;
  std::shared_ptr<const x509::TrustStore> trusted_;  // whose certificates clients may have; null: none is asked for
  std::string session_context_;                      // of what was shown first
  SslCtxPtr context_;
};

// What was read of files before, and is not read again; null: it was not.
struct TlsClientMaterial {
  TlsClientMaterial(const x509::TrustStore* authorities = nullptr, std::shared_ptr<TlsPresence> shown = nullptr)
      : trusted(authorities), own(std::move(shown)) {}

  const x509::TrustStore* trusted;   // outlives who goes by it
  std::shared_ptr<TlsPresence> own;  // shown to servers that ask; may come to be another
};

class TlsClientContext {
 public:
  // Reads `ca_file`, or the system's authorities, and `own`, unless `material` has them. Errors: kFile, kConfig.
  static Result<std::unique_ptr<TlsClientContext>> create(const TlsClientOptions& options,
                                                          TlsClientMaterial material = {},
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
  SslPtr make_ssl(Server& server);
  bool verifies() const { return verify_; }

 private:
  TlsClientContext() = default;
  void show_own(SSL* ssl);
  static int on_new_session(SSL* ssl, SSL_SESSION* session);
  static int on_verified(int ok, X509_STORE_CTX* chain);

  SslCtxPtr context_;
  bool verify_ = true;
  std::shared_ptr<TlsPresence> own_;  // null: nothing is shown
  std::uint64_t own_version_ = 0;
  std::shared_ptr<const TlsIdentities> own_shown_;
  std::map<std::string, Server, std::less<>> servers_;  // as many as the upstream has names
};

// Internal to both: protocols as on the wire, and an error of OpenSSL's about an option.
namespace tls {
std::string alpn_wire(const std::vector<std::string>& protocols);
tl::unexpected<Error> option_error(std::string_view option);
void set_common(SSL_CTX* context, TlsVersion min_version);
}  // namespace tls

}  // namespace rproxy::net
