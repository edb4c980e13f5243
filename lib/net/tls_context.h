// What TLS connections of one listener, or to one upstream, have in common. One per worker; certificates and ticket keys are shared.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "net/options.h"
#include "x509/certified_key.h"

namespace rproxy::net {

using SslCtxPtr = std::unique_ptr<SSL_CTX, x509::FreeBy<SSL_CTX_free>>;
using SslPtr = std::unique_ptr<SSL, x509::FreeBy<SSL_free>>;
using SslSessionPtr = std::unique_ptr<SSL_SESSION, x509::FreeBy<SSL_SESSION_free>>;

// Keys that seal session tickets (RFC 5077), one set for all workers, so that a session resumes on any of them. A key seals for half a
// day and opens for a day and a half: a stolen key opens no more than that.
class TicketKeys {
 public:
  TicketKeys();

  // The body of OpenSSL's callback: 1 sealed or opened, 2 opened but to be renewed, 0 unknown key, -1 error.
  int use(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool seal);

 private:
  struct Key {
    std::array<unsigned char, 16> name;
    std::array<unsigned char, 32> cipher;
    std::array<unsigned char, 32> mac;
  };
  static Key make();
  void rotate(TimePoint now);

  std::mutex mutex_;
  std::vector<Key> keys_;  // the newest first
  TimePoint rotated_;
};

class TlsServerContext {
 public:
  // `keys` are the certificates in the order of the options; the first is the default. `tickets` outlives the context.
  // Errors: kConfig (a cipher list, group list, or pair that OpenSSL refuses).
  static Result<std::unique_ptr<TlsServerContext>> create(const TlsServerOptions& options,
                                                          const std::vector<std::shared_ptr<const x509::CertifiedKey>>& keys,
                                                          TicketKeys& tickets);

  SslPtr make_ssl() const { return SslPtr(SSL_new(contexts_.front().get())); }

 private:
  TlsServerContext() = default;
  Result<void> add(const TlsServerOptions& options, const x509::CertifiedKey& key);
  Result<SslCtxPtr> make_context(const TlsServerOptions& options);
  // The context for the name asked for; null where none covers it.
  SSL_CTX* find(std::string_view name) const;

  static int on_server_name(SSL* ssl, int* alert, void* self);
  static int on_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                     unsigned offered_size, void* self);
  static int on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, int seal);

  std::vector<SslCtxPtr> contexts_;  // one for each set of names
  std::unordered_map<std::string, SSL_CTX*> by_name_;  // "shop.com", "*.shop.com"
  std::vector<std::vector<std::string>> name_sets_;
  TicketKeys* tickets_ = nullptr;
  bool strict_sni_ = false;
};

class TlsClientContext {
 public:
  // Errors: kFile, kConfig (ca_file).
  static Result<std::unique_ptr<TlsClientContext>> create(const TlsClientOptions& options);

  // Ready to connect: SNI, the name to verify and the last session are set. `server_name` may be an IP address.
  SslPtr make_ssl(const std::string& server_name);
  bool verifies() const { return verify_; }
  void remember(const std::string& server_name, SslSessionPtr session) { sessions_[server_name] = std::move(session); }

 private:
  TlsClientContext() = default;

  SslCtxPtr context_;
  bool verify_ = true;
  std::unordered_map<std::string, SslSessionPtr> sessions_;  // as many as the upstream has names
};

}  // namespace rproxy::net
