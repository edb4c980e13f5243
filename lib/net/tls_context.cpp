#include "net/tls_context.h"

#include <openssl/core_names.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "base/address.h"

namespace rproxy::net {
namespace {

// Mozilla's intermediate list without DHE: forward secrecy and AEAD only.
constexpr const char* kCiphers =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* kGroups = "X25519:P-256:P-384";
constexpr std::array<unsigned char, 9> kAlpn{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
constexpr std::chrono::hours kTicketKeyAge{12};
constexpr std::size_t kTicketKeysKept = 3;

tl::unexpected<Error> bad(std::string what) {
  return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, what + ": " + x509::take_openssl_reason());
}

int version_of(TlsVersion version) { return version == TlsVersion::kTls13 ? TLS1_3_VERSION : TLS1_2_VERSION; }

void set_common(SSL_CTX* context, TlsVersion min_version) {
  SSL_CTX_set_min_proto_version(context, version_of(min_version));
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // An idle connection keeps no record buffers; a moved write buffer is allowed because ours is refilled between attempts.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_quiet_shutdown(context, 0);
}

}  // namespace

TicketKeys::TicketKeys() : keys_{make()}, rotated_(Clock::now()) {}

TicketKeys::Key TicketKeys::make() {
  Key key;
  if (RAND_bytes(key.name.data(), key.name.size()) != 1 || RAND_priv_bytes(key.cipher.data(), key.cipher.size()) != 1 ||
      RAND_priv_bytes(key.mac.data(), key.mac.size()) != 1) {
    throw std::runtime_error("no randomness for ticket keys");
  }
  return key;
}

void TicketKeys::rotate(TimePoint now) {
  if (now - rotated_ < kTicketKeyAge) return;
  rotated_ = now;
  keys_.insert(keys_.begin(), make());
  if (keys_.size() > kTicketKeysKept) keys_.pop_back();
}

int TicketKeys::use(unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac, bool seal) {
  const std::lock_guard lock(mutex_);
  rotate(Clock::now());
  auto key = keys_.begin();
  if (seal) {
    std::ranges::copy(key->name, name);
    if (RAND_bytes(iv, EVP_MAX_IV_LENGTH) != 1) return -1;
  } else {
    key = std::ranges::find_if(keys_, [name](const Key& k) { return std::memcmp(k.name.data(), name, k.name.size()) == 0; });
    if (key == keys_.end()) return 0;
  }
  char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, key->mac.data(), key->mac.size()),
                                   OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
                                   OSSL_PARAM_construct_end()};
  if (EVP_MAC_CTX_set_params(mac, parameters) != 1) return -1;
  const int set = seal ? EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv)
                       : EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key->cipher.data(), iv);
  if (set != 1) return -1;
  return seal || key == keys_.begin() ? 1 : 2;
}

Result<std::unique_ptr<TlsServerContext>> TlsServerContext::create(
    const TlsServerOptions& options, const std::vector<std::shared_ptr<const x509::CertifiedKey>>& keys,
    TicketKeys& tickets) {
  std::unique_ptr<TlsServerContext> made(new TlsServerContext);
  made->tickets_ = &tickets;
  made->strict_sni_ = options.strict_sni;
  for (const auto& key : keys) {
    if (auto added = made->add(options, *key); !added) return fail(std::move(added.error()));
  }
  return made;
}

// Certificates for the same names with different kinds of keys stand side by side in one context; OpenSSL picks by what the client can.
Result<void> TlsServerContext::add(const TlsServerOptions& options, const x509::CertifiedKey& key) {
  const auto same = std::ranges::find(name_sets_, key.leaf().dns_names());
  SSL_CTX* context = nullptr;
  if (same != name_sets_.end() && !key.leaf().dns_names().empty()) {
    context = contexts_[static_cast<std::size_t>(same - name_sets_.begin())].get();
  } else {
    auto made = make_context(options);
    if (!made) return fail(std::move(made.error()));
    context = made->get();
    contexts_.push_back(std::move(*made));
    name_sets_.push_back(key.leaf().dns_names());
  }
  if (SSL_CTX_use_certificate(context, key.leaf().native()) != 1 || SSL_CTX_use_PrivateKey(context, key.key()) != 1) {
    return bad("certificate");
  }
  SSL_CTX_clear_chain_certs(context);
  for (std::size_t i = 1; i < key.chain().size(); ++i) {
    if (SSL_CTX_add1_chain_cert(context, key.chain()[i].native()) != 1) return bad("certificate chain");
  }
  for (const auto& name : key.leaf().dns_names()) by_name_.emplace(name, context);
  return {};
}

Result<SslCtxPtr> TlsServerContext::make_context(const TlsServerOptions& options) {
  SslCtxPtr context(SSL_CTX_new(TLS_server_method()));
  SSL_CTX* raw = context.get();
  set_common(raw, options.min_version);
  SSL_CTX_set_options(raw, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
  if (SSL_CTX_set_cipher_list(raw, options.ciphers.empty() ? kCiphers : options.ciphers.c_str()) != 1) return bad("tls.ciphers");
  if (!options.ciphersuites.empty() && SSL_CTX_set_ciphersuites(raw, options.ciphersuites.c_str()) != 1) {
    return bad("tls.ciphersuites");
  }
  if (SSL_CTX_set1_groups_list(raw, options.groups.empty() ? kGroups : options.groups.c_str()) != 1) return bad("tls.groups");
  // Tickets alone: nothing is kept here for a client that may never return.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_session_id_context(raw, reinterpret_cast<const unsigned char*>("rproxy"), 6);
  if (options.session_tickets) {
    SSL_CTX_set_num_tickets(raw, 1);
    SSL_CTX_set_tlsext_ticket_key_evp_cb(raw, &on_ticket);
  } else {
    SSL_CTX_set_num_tickets(raw, 0);
    SSL_CTX_set_options(raw, SSL_OP_NO_TICKET);
  }
  SSL_CTX_set_app_data(raw, this);
  SSL_CTX_set_tlsext_servername_callback(raw, &on_server_name);
  SSL_CTX_set_tlsext_servername_arg(raw, this);
  SSL_CTX_set_alpn_select_cb(raw, &on_alpn, this);
  return context;
}

SSL_CTX* TlsServerContext::find(std::string_view name) const {
  std::string key(name);
  std::ranges::transform(key, key.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  if (key.ends_with('.')) key.pop_back();
  if (const auto exact = by_name_.find(key); exact != by_name_.end()) return exact->second;
  // RFC 9525 6.3: a wildcard stands for exactly one label.
  const auto dot = key.find('.');
  if (dot == std::string::npos) return nullptr;
  const auto wildcard = by_name_.find("*" + key.substr(dot));
  return wildcard != by_name_.end() ? wildcard->second : nullptr;
}

int TlsServerContext::on_server_name(SSL* ssl, int* alert, void* self) {
  const auto& context = *static_cast<const TlsServerContext*>(self);
  const char* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
  SSL_CTX* chosen = name != nullptr ? context.find(name) : nullptr;
  if (chosen != nullptr) {
    SSL_set_SSL_CTX(ssl, chosen);
    return SSL_TLSEXT_ERR_OK;
  }
  if (!context.strict_sni_) return SSL_TLSEXT_ERR_NOACK;
  *alert = SSL_AD_UNRECOGNIZED_NAME;
  return SSL_TLSEXT_ERR_ALERT_FATAL;
}

int TlsServerContext::on_alpn(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered,
                              unsigned offered_size, void*) {
  unsigned char* out = nullptr;
  if (SSL_select_next_proto(&out, chosen_size, kAlpn.data(), kAlpn.size(), offered, offered_size) != OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // RFC 7301 3.2: no_application_protocol
  }
  *chosen = out;
  return SSL_TLSEXT_ERR_OK;
}

int TlsServerContext::on_ticket(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                                int seal) {
  const auto* self = static_cast<const TlsServerContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
  return self->tickets_->use(name, iv, cipher, mac, seal == 1);
}

Result<std::unique_ptr<TlsClientContext>> TlsClientContext::create(const TlsClientOptions& options) {
  std::unique_ptr<TlsClientContext> made(new TlsClientContext);
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  made->verify_ = options.verify;
  SSL_CTX* context = made->context_.get();
  set_common(context, options.min_version);
  SSL_CTX_set1_groups_list(context, kGroups);
  SSL_CTX_set_alpn_protos(context, kAlpn.data(), kAlpn.size());
  if (options.verify) {
    const int loaded = options.ca_file.empty() ? SSL_CTX_set_default_verify_paths(context)
                                               : SSL_CTX_load_verify_file(context, options.ca_file.c_str());
    if (loaded != 1) return bad(options.ca_file.empty() ? "system certificates" : options.ca_file);
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  } else {
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  return made;
}

SslPtr TlsClientContext::make_ssl(const std::string& server_name) {
  SslPtr ssl(SSL_new(context_.get()));
  // RFC 6066 3: an address is not a server name.
  const bool is_ip = IpAddress::parse(server_name).has_value();
  if (!is_ip && !server_name.empty()) SSL_set_tlsext_host_name(ssl.get(), server_name.c_str());
  if (verify_) {
    if (is_ip) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), server_name.c_str());
    } else {
      SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      SSL_set1_host(ssl.get(), server_name.c_str());
    }
  }
  if (const auto session = sessions_.find(server_name); session != sessions_.end()) {
    SSL_set_session(ssl.get(), session->second.get());
  }
  return ssl;
}

}  // namespace rproxy::net
