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
#include "net/tls_ticket_keys.h"
#include "x509/certificate.h"
#include "x509/certified_key.h"
#include "x509/trust_store.h"

namespace rproxy::net {

using SslCtxPtr = std::unique_ptr<SSL_CTX, x509::FreeBy<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, x509::FreeBy<SSL_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, x509::FreeBy<SSL_SESSION_free>>;

class TlsServerContext {
 public:
  using Keys = std::vector<std::shared_ptr<const x509::CertifiedKey>>;

  // `keys` are the certificates in the order of the options; the first is the default. Several with one name and different kinds of
  // keys stand side by side, and the client's abilities decide. `tickets` outlives the context. `alpn`: protocols spoken, the
  // preferred first. Errors: kConfig (a cipher or group list or a certificate that OpenSSL refuses).
  static Result<std::unique_ptr<TlsServerContext>> create(const TlsServerOptions& options, const Keys& keys,
                                                          TicketKeys& tickets,
                                                          const std::vector<std::string>& alpn = {"http/1.1"});

  // Whether create() would take the options, whatever the certificates. Errors: kConfig, naming the list that OpenSSL refuses.
  static Result<void> check(const TlsServerOptions& options);

  TlsServerContext(const TlsServerContext&) = delete;
  TlsServerContext& operator=(const TlsServerContext&) = delete;

  SslPtr make_ssl() const { return SslPtr(SSL_new(context_.get())); }

 private:
  // A certificate with what OpenSSL wants beside it.
  struct FreeChain {
    void operator()(STACK_OF(X509) * chain) const;
  };
  struct Presented {
    std::shared_ptr<const x509::CertifiedKey> key;
    std::unique_ptr<STACK_OF(X509), FreeChain> chain;
  };
  // At most one for each kind of key; points into presented_.
  using KeySet = std::vector<const Presented*>;

  explicit TlsServerContext(TicketKeys& tickets);
  Result<void> set_options(const TlsServerOptions& options);
  void set_session_context(const TlsServerOptions& options);
  Result<void> add_keys(const Keys& keys);
  Result<void> set_default();
  static void add_to(KeySet& set, const Presented& presented);
  static Result<void> present(SSL_CTX* context, const Presented& presented);
  static bool present(SSL* ssl, const KeySet& set);
  // For the name asked for; null where no certificate covers it.
  const KeySet* find(const char* name) const;

  static int on_server_name(SSL* ssl, int* alert, void* self);
  static int on_certificate(SSL* ssl, void* self);
  static int on_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                     unsigned offered_size, void* self);
  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                       int seal);

  SslCtxPtr context_;
  std::vector<Presented> presented_;
  std::map<std::string, KeySet, std::less<>> by_name_;  // "shop.com", "*.shop.com"
  KeySet default_;
  std::string alpn_;  // as on the wire (RFC 7301 3.1)
  TicketKeys& tickets_;
  bool strict_sni_ = false;
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
