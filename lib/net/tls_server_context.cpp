#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>
#include <chrono>
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
// Where OpenSSL has it (3.5): what is recorded today stays secret from the quantum computers of later.
constexpr const char* kHybridGroups = "X25519MLKEM768:X25519:P-256:P-384";
// More are not named to clients: the message has an end, and so have the lists browsers show.
constexpr std::size_t kAuthoritiesNamedMax = 100;

// What OpenSSL's callback says to be called again.
constexpr int kWaitForCertificate = -1;
// Of one connection: a request or two.
constexpr std::uint32_t kEarlyDataMax = 16384;

// A connection's app data where it only comes to validate a name.
void* const kValidation = const_cast<char*>("acme-tls/1");
constexpr std::string_view kValidationAlpn =
    "\x0a"
    "acme-tls/1";

// Or where it has waited for a certificate.
void* const kWaited = const_cast<char*>("waited");

bool is_validation(const SSL* ssl) { return SSL_get_app_data(ssl) == kValidation; }

// Workers and listeners share ticket keys; a session begun under one set of names and options is not good under another. A certificate that
// takes the place of one for the same names ends no session.
std::string session_context(const TlsServerOptions& options, const TlsIdentities& shown) {
  std::string text = fmt::format("{} {} {} {} {} {}", static_cast<int>(options.min_version), options.ciphers,
                                 options.ciphersuites, options.groups, options.strict_sni, options.early_data);
  if (const auto& asked = options.client_auth) {
    text += fmt::format(" {} {}", static_cast<int>(asked->mode), asked->verify_depth);
    for (const auto& rule : asked->allow) text += fmt::format("\n{}", rule.text());
  }
  for (const auto& identity : shown.all())
    text += fmt::format("\n{}", fmt::join(identity->key().leaf().dns_names(), " "));
  return text;
}

std::string short_digest(std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), std::min<std::size_t>(size, SSL_MAX_SID_CTX_LENGTH)};
}

bool set_groups(SSL_CTX* context, const std::string& chosen) {
  if (!chosen.empty()) return SSL_CTX_set1_groups_list(context, chosen.c_str()) == 1;
  if (SSL_CTX_set1_groups_list(context, kHybridGroups) == 1) return true;
  ERR_clear_error();
  return SSL_CTX_set1_groups_list(context, kGroups) == 1;
}

const char* or_default(const std::string& chosen, const char* otherwise) {
  return chosen.empty() ? otherwise : chosen.c_str();
}

}  // namespace

TlsServerContext::TlsServerContext(const TlsServerOptions& options, TicketKeys& tickets)
    : options_(options), tickets_(tickets) {}

Result<void> TlsServerContext::check(const TlsServerOptions& options) {
  ERR_clear_error();
  TicketKeys unused;
  return TlsServerContext(options, unused).set_options(SslCtxPtr(SSL_CTX_new(TLS_server_method())).get());
}

Result<std::unique_ptr<TlsServerContext>> TlsServerContext::create(const TlsServerOptions& options,
                                                                   std::shared_ptr<TlsPresence> presence,
                                                                   TicketKeys& tickets,
                                                                   const std::vector<std::string>& alpn) {
  ERR_clear_error();
  std::unique_ptr<TlsServerContext> made(new TlsServerContext(options, tickets));
  made->alpn_ = tls::alpn_wire(alpn);
  made->presence_ = std::move(presence);
  made->session_context_ = session_context(options, *made->presence_->shown());
  if (auto done = made->renew(); !done) return fail(std::move(done.error()));
  return made;
}

SslPtr TlsServerContext::make_ssl() {
  // What was shown before goes on where this fails, which it has not at first.
  if (presence_->version() != version_) (void)renew();
  return SslPtr(SSL_new(context_.get()));
}

// Connections keep the context they were made of.
Result<void> TlsServerContext::renew() {
  version_ = presence_->version();
  auto shown = presence_->shown();
  trusted_ = presence_->trusted();
  SslCtxPtr context(SSL_CTX_new(TLS_server_method()));
  if (auto done = set_options(context.get()); !done) return done;
  for (const TlsIdentity* identity : shown->fallback()) {
    if (!identity->present(context.get())) return tls::option_error("certificate");
  }
  shown_ = std::move(shown);
  context_ = std::move(context);
  return {};
}

Result<void> TlsServerContext::set_options(SSL_CTX* context) {
  tls::set_common(context, options_.min_version);
  // A client that puts ChaCha first has no AES in hardware; for all others AES is the cheaper.
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  if (SSL_CTX_set_cipher_list(context, or_default(options_.ciphers, kCiphers)) != 1) {
    return tls::option_error("ciphers");
  }
  if (SSL_CTX_set_ciphersuites(context, or_default(options_.ciphersuites, kCiphersuites)) != 1) {
    return tls::option_error("ciphersuites");
  }
  if (!set_groups(context, options_.groups)) return tls::option_error("groups");
  // Tickets alone: nothing is kept here for a client that may never return.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_timeout(context, std::chrono::duration_cast<std::chrono::seconds>(TicketKeys::kSealsFor).count());
  SSL_CTX_set_num_tickets(context, options_.session_tickets ? 1 : 0);
  if (!options_.session_tickets) SSL_CTX_set_options(context, SSL_OP_NO_TICKET);
  if (takes_early_data()) {
    // Tickets of all workers can't be used up once. Replays are left what OpenSSL's look at a ticket's age leaves them (RFC 8446 8.3), some ten
    // seconds, and safe methods.
    SSL_CTX_set_options(context, SSL_OP_NO_ANTI_REPLAY);
    SSL_CTX_set_max_early_data(context, kEarlyDataMax);
    SSL_CTX_set_recv_max_early_data(context, kEarlyDataMax);
  }
  // Whoever is revoked, or whose authority is gone, has no session any more.
  const std::string name = short_digest(session_context_ + (trusted_ != nullptr ? trusted_->digest() : ""));
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(name.data()),
                                 static_cast<unsigned>(name.size()));
  SSL_CTX_set_app_data(context, this);
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context, &on_ticket);
  SSL_CTX_set_client_hello_cb(context, &on_client_hello, this);
  SSL_CTX_set_tlsext_servername_callback(context, &on_server_name);
  SSL_CTX_set_tlsext_servername_arg(context, this);
  SSL_CTX_set_cert_cb(context, &on_certificate, this);
  SSL_CTX_set_alpn_select_cb(context, &on_alpn, this);
  SSL_CTX_set_tlsext_status_cb(context, &on_status);
  SSL_CTX_set_tlsext_status_arg(context, this);
  if (trusted_ != nullptr && options_.client_auth) ask_clients(context);
  return {};
}

void TlsServerContext::ask_clients(SSL_CTX* context) const {
  const bool is_required = options_.client_auth->mode == ClientAuth::Mode::kRequired;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | (is_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0),
                     &on_client_verified);
  SSL_CTX_set_verify_depth(context, static_cast<int>(options_.client_auth->verify_depth));
  SSL_CTX_set1_verify_cert_store(context, trusted_->native());
  SSL_CTX_set_session_ticket_cb(context, &on_ticket_made, &on_ticket_opened, nullptr);
  const auto& authorities = trusted_->certificates();
  if (authorities.size() > kAuthoritiesNamedMax) return;
  for (const auto& each : authorities) SSL_CTX_add_client_CA(context, each.native());
}

// Once for each certificate of the client's chain, its own last.
int TlsServerContext::on_client_verified(int ok, X509_STORE_CTX* chain) {
  if (ok != 1 || X509_STORE_CTX_get_error_depth(chain) != 0) return ok;
  const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const auto& self = *static_cast<const TlsServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  X509* const leaf = X509_STORE_CTX_get0_cert(chain);
  if (self.options_.client_auth->allow.empty() || X509_up_ref(leaf) != 1) return ok;
  const auto names = x509::CertificateNames::of(x509::Certificate(x509::X509Ptr(leaf)));
  if (x509::matches_any(self.options_.client_auth->allow, names)) return ok;
  X509_STORE_CTX_set_error(chain, X509_V_ERR_APPLICATION_VERIFICATION);
  return 0;
}

int TlsServerContext::on_ticket_made(SSL*, void*) { return 1; }

// A session lasts no longer than the certificate it was begun with, nor than anybody can tell that it is not revoked; and it is no way around
// showing one.
bool TlsServerContext::is_good_for(const X509* shown) const {
  const auto now = std::chrono::system_clock::now();
  if (shown == nullptr) return options_.client_auth->mode != ClientAuth::Mode::kRequired;
  return x509::end_of(shown) >= now && (!trusted_->good_until() || *trusted_->good_until() >= now);
}

SSL_TICKET_RETURN TlsServerContext::on_ticket_opened(SSL* ssl, SSL_SESSION* session, const unsigned char*, std::size_t,
                                                     SSL_TICKET_STATUS status, void*) {
  const auto& self = *static_cast<const TlsServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  const bool is_good = session != nullptr && self.is_good_for(SSL_SESSION_get0_peer(session));
  switch (status) {
    case SSL_TICKET_SUCCESS:
      return is_good ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_SUCCESS_RENEW:
      return is_good ? SSL_TICKET_RETURN_USE_RENEW : SSL_TICKET_RETURN_IGNORE_RENEW;
    case SSL_TICKET_EMPTY:
    case SSL_TICKET_NO_DECRYPT:
      return SSL_TICKET_RETURN_IGNORE_RENEW;
    default:
      return SSL_TICKET_RETURN_ABORT;
  }
}

// RFC 8737 3: who validates a name offers this protocol and no other, which no other client does.
int TlsServerContext::on_client_hello(SSL* ssl, int*, void*) {
  const unsigned char* offered = nullptr;
  std::size_t size = 0;
  if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_application_layer_protocol_negotiation, &offered, &size) == 1) {
    // A list of one, with the length of the list before it.
    constexpr std::string_view kList(
        "\0\x0b\x0a"
        "acme-tls/1",
        13);
    if (std::string_view(reinterpret_cast<const char*>(offered), size) == kList) return begin_validation(ssl);
  }
  // The second hello of a client that was asked for another (RFC 8446 4.1.4) is to be of the same kind.
  return is_validation(ssl) ? SSL_CLIENT_HELLO_ERROR : SSL_CLIENT_HELLO_SUCCESS;
}

// It shows no certificate of its own, and has no session: that would be one of a client that has shown none.
int TlsServerContext::begin_validation(SSL* ssl) {
  SSL_set_app_data(ssl, kValidation);
  SSL_set_verify(ssl, SSL_VERIFY_NONE, nullptr);
  SSL_set_options(ssl, SSL_OP_NO_TICKET);
  SSL_set_num_tickets(ssl, 0);
  SSL_set_session_id_context(ssl, reinterpret_cast<const unsigned char*>(kValidationAlpn.data()),
                             static_cast<unsigned>(kValidationAlpn.size()));
  return SSL_CLIENT_HELLO_SUCCESS;
}

bool TlsServerContext::is_for_validation(const SSL* ssl) { return is_validation(ssl); }

int TlsServerContext::on_server_name(SSL* ssl, int* alert, void* self) {
  const auto& context = *static_cast<const TlsServerContext*>(self);
  if (is_validation(ssl)) return SSL_TLSEXT_ERR_OK;
  if (context.shown_->find(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) != nullptr) return SSL_TLSEXT_ERR_OK;
  // What may come is waited for by who is shown a certificate, which a session that goes on is not.
  const bool may_wait = SSL_session_reused(ssl) != 1 && context.may_come(ssl);
  if (!context.options_.strict_sni || may_wait) return SSL_TLSEXT_ERR_NOACK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;  // RFC 6066 3
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

bool TlsServerContext::may_come(const SSL* ssl) const {
  if (presence_->on_demand() == nullptr || SSL_get_app_data(ssl) == kWaited) return false;
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  return name != nullptr && presence_->on_demand()->may_come(x509::normal_dns_name(name));
}

void TlsServerContext::have_made(SSL* ssl, std::function<void(bool)> told) {
  SSL_set_app_data(ssl, kWaited);
  presence_->on_demand()->have_made(x509::normal_dns_name(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)),
                                    std::move(told));
}

int TlsServerContext::on_certificate(SSL* ssl, void* self) {
  auto& context = *static_cast<TlsServerContext*>(self);
  // It has waited: what has come meanwhile counts.
  if (SSL_get_app_data(ssl) == kWaited && context.presence_->version() != context.version_) (void)context.renew();
  const char* const name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  if (is_validation(ssl)) {
    const auto answer = context.presence_->challenge(name != nullptr ? x509::normal_dns_name(name) : "");
    SSL_certs_clear(ssl);
    return answer != nullptr && answer->present(ssl) ? 1 : 0;
  }
  const TlsIdentities::Set* set = context.shown_->find(name);
  if (set == nullptr && context.may_come(ssl)) return kWaitForCertificate;
  if (set == nullptr && context.options_.strict_sni) return 0;
  if (set == nullptr) set = &context.shown_->fallback();
  // In place already, unless something else is shown since the connection was made.
  if (*set == context.shown_->fallback() && SSL_get_SSL_CTX(ssl) == context.context_.get()) return 1;
  SSL_certs_clear(ssl);
  return std::ranges::all_of(*set, [ssl](const TlsIdentity* each) { return each->present(ssl); }) ? 1 : 0;
}

// RFC 6066 8, RFC 8446 4.4.2.1: what was said of the very certificate that is shown.
int TlsServerContext::on_status(SSL* ssl, void* self) {
  const auto& context = *static_cast<const TlsServerContext*>(self);
  if (is_validation(ssl)) return SSL_TLSEXT_ERR_NOACK;
  const TlsIdentities::Set* set = context.shown_->find(SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name));
  const X509* const shown = SSL_get_certificate(ssl);
  for (const TlsIdentity* identity : set != nullptr ? *set : context.shown_->fallback()) {
    if (identity->key().leaf().native() != shown) continue;
    const auto staple = identity->stapled();
    auto* copy = staple != nullptr ? OPENSSL_memdup(staple->der.data(), staple->der.size()) : nullptr;
    if (copy == nullptr) return SSL_TLSEXT_ERR_NOACK;
    SSL_set_tlsext_status_ocsp_resp(ssl, copy, static_cast<long>(staple->der.size()));
    return SSL_TLSEXT_ERR_OK;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

int TlsServerContext::on_alpn(SSL* ssl, const unsigned char** chosen, unsigned char* chosen_size,
                              const unsigned char* offered, unsigned offered_size, void* self) {
  const std::string& spoken = static_cast<const TlsServerContext*>(self)->alpn_;
  const std::string_view own = is_validation(ssl) ? kValidationAlpn : std::string_view(spoken);
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
