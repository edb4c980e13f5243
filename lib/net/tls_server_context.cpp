#include <fmt/format.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <utility>

#include "net/tls_context.h"

namespace rproxy::net {
namespace {

// Mozilla's intermediate list without DHE: forward secrecy and AEAD only.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kCiphersuites = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";
constexpr const char* kGroups = "X25519:P-256:P-384";

const char* or_default(const std::string& chosen, const char* otherwise) {
  return chosen.empty() ? otherwise : chosen.c_str();
}

}  // namespace

void TlsServerContext::FreeChain::operator()(STACK_OF(X509) * chain) const { sk_X509_free(chain); }

TlsServerContext::TlsServerContext(TicketKeys& tickets)
    : context_(SSL_CTX_new(TLS_server_method())), tickets_(tickets) {}

Result<void> TlsServerContext::check(const TlsServerOptions& options) {
  ERR_clear_error();
  TicketKeys unused;
  return TlsServerContext(unused).set_options(options);
}

Result<std::unique_ptr<TlsServerContext>> TlsServerContext::create(const TlsServerOptions& options, const Keys& keys,
                                                                   TicketKeys& tickets,
                                                                   const std::vector<std::string>& alpn) {
  ERR_clear_error();
  std::unique_ptr<TlsServerContext> made(new TlsServerContext(tickets));
  if (keys.empty()) return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, "tls: no certificate");
  made->strict_sni_ = options.strict_sni;
  made->alpn_ = tls::alpn_wire(alpn);
  if (auto done = made->set_options(options); !done) return fail(std::move(done.error()));
  if (auto done = made->add_keys(keys); !done) return fail(std::move(done.error()));
  made->set_session_context(options);
  return made;
}

Result<void> TlsServerContext::set_options(const TlsServerOptions& options) {
  SSL_CTX* context = context_.get();
  tls::set_common(context, options.min_version);
  // A client that puts ChaCha first has no AES in hardware; for all others AES is the cheaper.
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  if (SSL_CTX_set_cipher_list(context, or_default(options.ciphers, kCiphers)) != 1) return tls::option_error("ciphers");
  if (SSL_CTX_set_ciphersuites(context, or_default(options.ciphersuites, kCiphersuites)) != 1) {
    return tls::option_error("ciphersuites");
  }
  if (SSL_CTX_set1_groups_list(context, or_default(options.groups, kGroups)) != 1) return tls::option_error("groups");
  // Tickets alone: nothing is kept here for a client that may never return.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, std::chrono::duration_cast<std::chrono::seconds>(TicketKeys::kSealsFor).count());
  SSL_CTX_set_num_tickets(context, options.session_tickets ? 1 : 0);
  if (!options.session_tickets) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &on_ticket);
  SSL_CTX_set_tlsext_servername_callback(context, &on_server_name);
  SSL_CTX_set_tlsext_servername_arg(context, this);
  SSL_CTX_set_cert_cb(context, &on_certificate, this);
  SSL_CTX_set_alpn_select_cb(context, &on_alpn, this);
  return {};
}

// Workers and listeners share ticket keys; a session begun under one set of certificates and options is not good under another.
void TlsServerContext::set_session_context(const TlsServerOptions& options) {
  std::string text = fmt::format("{} {} {} {} {}", static_cast<int>(options.min_version), options.ciphers,
                                 options.ciphersuites, options.groups, options.strict_sni);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  for (const Presented& presented : presented_) {
    X509_digest(presented.key->leaf().native(), EVP_sha256(), digest.data(), &size);
    text.append(reinterpret_cast<const char*>(digest.data()), size);
  }
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  SSL_CTX_set_session_id_context(context_.get(), digest.data(), std::min<unsigned>(size, SSL_MAX_SID_CTX_LENGTH));
}

Result<void> TlsServerContext::add_keys(const Keys& keys) {
  presented_.reserve(keys.size());
  for (const auto& key : keys) {
    Presented& presented = presented_.emplace_back();
    presented.key = key;
    presented.chain.reset(sk_X509_new_null());
    for (std::size_t i = 1; i < key->chain().size(); ++i) sk_X509_push(presented.chain.get(), key->chain()[i].native());
    for (const auto& name : key->leaf().dns_names()) add_to(by_name_[name], presented);
  }
  // Whatever OpenSSL has against a certificate shows now and not in a handshake.
  for (const Presented& presented : presented_) {
    if (auto done = present(SslCtxPtr(SSL_CTX_new(TLS_server_method())).get(), presented); !done) return done;
  }
  return set_default();
}

// The first certificate, and those with other kinds of keys for its first name.
Result<void> TlsServerContext::set_default() {
  add_to(default_, presented_.front());
  const auto& names = presented_.front().key->leaf().dns_names();
  if (!names.empty()) {
    for (const Presented* presented : by_name_[names.front()]) add_to(default_, *presented);
  }
  for (const Presented* presented : default_) {
    if (auto done = present(context_.get(), *presented); !done) return done;
  }
  return {};
}

void TlsServerContext::add_to(KeySet& set, const Presented& presented) {
  const int type = presented.key->key_type();
  const bool has = std::ranges::any_of(set, [type](const Presented* other) { return other->key->key_type() == type; });
  if (!has) set.push_back(&presented);
}

Result<void> TlsServerContext::present(SSL_CTX* context, const Presented& presented) {
  constexpr int kReplace = 1;
  const x509::CertifiedKey& key = *presented.key;
  if (SSL_CTX_use_cert_and_key(context, key.leaf().native(), key.key(), presented.chain.get(), kReplace) == 1)
    return {};
  return tls::option_error("certificate of " + key.leaf().label());
}

bool TlsServerContext::present(SSL* ssl, const KeySet& set) {
  constexpr int kReplace = 1;
  SSL_certs_clear(ssl);
  return std::ranges::all_of(set, [ssl](const Presented* each) {
    const x509::CertifiedKey& key = *each->key;
    return SSL_use_cert_and_key(ssl, key.leaf().native(), key.key(), each->chain.get(), kReplace) == 1;
  });
}

const TlsServerContext::KeySet* TlsServerContext::find(const char* name) const {
  if (name == nullptr) return nullptr;
  std::string key = x509::normal_dns_name(name);
  if (const auto exact = by_name_.find(key); exact != by_name_.end()) return &exact->second;
  // RFC 9525 6.3: a wildcard stands for exactly one label.
  const auto dot = key.find('.');
  if (dot == std::string::npos) return nullptr;
  key.replace(0, dot, "*");
  const auto wildcard = by_name_.find(key);
  return wildcard != by_name_.end() ? &wildcard->second : nullptr;
}

int TlsServerContext::on_server_name(SSL* ssl, int* alert, void* self) {
  const auto& context = *static_cast<const TlsServerContext*>(self);
  if (context.find(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) != nullptr) return SSL_TLSEXT_ERR_OK;
  if (!context.strict_sni_) return SSL_TLSEXT_ERR_NOACK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;  // RFC 6066 3
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// The default is in place already.
int TlsServerContext::on_certificate(SSL* ssl, void* self) {
  const auto& context = *static_cast<const TlsServerContext*>(self);
  const KeySet* set = context.find(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
  if (set == nullptr || *set == context.default_) return 1;
  return present(ssl, *set) ? 1 : 0;
}

int TlsServerContext::on_alpn(SSL*, const unsigned char** chosen, unsigned char* chosen_size,
                              const unsigned char* offered, unsigned offered_size, void* self) {
  const std::string& own = static_cast<const TlsServerContext*>(self)->alpn_;
  unsigned char* out = nullptr;
  if (SSL_select_next_proto(&out, chosen_size, reinterpret_cast<const unsigned char*>(own.data()),
                            static_cast<unsigned>(own.size()), offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 3.2: no_application_protocol
  }
  *chosen = out;
  return SSL_TLSEXT_ERR_OK;
}

int TlsServerContext::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher,
                                EVP_MAC_CTX* mac, int seal) {
  const auto& self = *static_cast<const TlsServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  return self.tickets_.use(name, iv, cipher, mac, seal == 1, Clock::now());
}

}  // namespace rproxy::net
