#include "net/tls_context.h"

#include <fmt/format.h>
#include <openssl/err.h>

#include <utility>

#include "base/address.h"
#include "net/tls_key_log.h"

namespace rproxy::net {
namespace tls {

std::string alpn_wire(const std::vector<std::string>& protocols) {
  std::string wire;
  for (const auto& protocol : protocols) wire.append(1, static_cast<char>(protocol.size())).append(protocol);
  return wire;
}

tl::unexpected<Error> option_error(std::string_view option) {
  return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever,
              fmt::format("tls: {}: {}", option, x509::take_openssl_reason()));
}

void set_common(SSL_CTX* context, TlsVersion min_version) {
  SSL_CTX_set_min_proto_version(context, min_version == TlsVersion::kTls13 ? TLS1_3_VERSION : TLS1_2_VERSION);
  // At least 112 bits of strength, whatever openssl.cnf says; a cipher list may lower it ("...@SECLEVEL=1").
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  log_tls_keys_of(context);
  // An idle connection keeps no record buffers. A record may be offered again from another place in memory.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
}

}  // namespace tls

Result<x509::TrustStore> TlsClientContext::read_trusted(const TlsClientOptions& options) {
  return options.ca_file.empty() ? x509::TrustStore::system() : x509::TrustStore::from_file(options.ca_file);
}

Result<std::unique_ptr<TlsClientContext>> TlsClientContext::create(const TlsClientOptions& options,
                                                                   TlsClientMaterial material,
                                                                   const std::vector<std::string>& alpn) {
  std::unique_ptr<TlsClientContext> made(new TlsClientContext);
  made->context_.reset(SSL_CTX_new(TLS_client_method()));
  made->verify_ = options.verify;
  SSL_CTX* context = made->context_.get();
  tls::set_common(context, options.min_version);
  const std::string protocols = tls::alpn_wire(alpn);
  SSL_CTX_set_alpn_protos(context, reinterpret_cast<const unsigned char*>(protocols.data()),
                          static_cast<unsigned>(protocols.size()));
  SSL_CTX_set_verify(context, options.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, &on_verified);
  if (options.verify && material.trusted != nullptr) {
    SSL_CTX_set1_cert_store(context, material.trusted->native());
  } else if (options.verify) {
    auto read = read_trusted(options);
    if (!read) return fail(std::move(read.error()));
    SSL_CTX_set1_cert_store(context, read->native());
  }
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &on_new_session);
  made->own_ = std::move(material.own);
  if (made->own_ == nullptr && !options.own.cert.empty()) {
    auto key = x509::CertifiedKey::load(options.own.cert, options.own.key);
    if (!key) return fail(std::move(key.error()));
    auto shown = TlsPresence::of({std::make_shared<const x509::CertifiedKey>(std::move(*key))});
    if (!shown) return fail(std::move(shown.error()));
    made->own_ = std::move(*shown);
  }
  return made;
}

// From the next connection on; a session would go on as whoever it was begun by.
void TlsClientContext::show_own(SSL* ssl) {
  if (own_ == nullptr) return;
  if (std::exchange(own_version_, own_->version()) != own_version_) {
    own_shown_ = own_->shown();
    for (auto& [name, server] : servers_) server.session.reset();
  }
  // To the connection, not to the context, where one of another kind of key would stay beside it.
  (void)own_shown_->all().front()->present(ssl);
}

TlsClientContext::Server& TlsClientContext::server(std::string_view name) {
  // The root's dot is DNS's, not the certificate's (RFC 9525 6.3, RFC 6066 3).
  if (name.ends_with('.')) name.remove_suffix(1);
  const auto known = servers_.find(name);
  if (known != servers_.end()) return known->second;
  Server& made = servers_[std::string(name)];
  made.name = name;
  return made;
}

bool TlsClientContext::is_verifiable(std::string_view name) {
  return IpAddress::parse(name).has_value() || !x509::normal_dns_name(name).empty();
}

SslPtr TlsClientContext::make_ssl(Server& server) {
  SslPtr ssl(SSL_new(context_.get()));
  SSL_set_app_data(ssl.get(), &server);
  show_own(ssl.get());
  const char* name = server.name.c_str();
  // RFC 6066 3: an address is not a server name.
  const auto address = IpAddress::parse(server.name);
  if (!address && !x509::normal_dns_name(server.name).empty()) SSL_set_tlsext_host_name(ssl.get(), name);
  if (verify_) {
    // RFC 9525 6.3, 6.4.4: names from the subjectAltName alone, a wildcard only as a whole label.
    SSL_set_hostflags(ssl.get(), X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    if (address) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl.get()), name);
    } else {
      SSL_set1_host(ssl.get(), name);
    }
  }
  if (server.session) SSL_set_session(ssl.get(), server.session.get());
  return ssl;
}

int TlsClientContext::on_new_session(SSL* ssl, SSL_SESSION* session) {
  static_cast<Server*>(SSL_get_app_data(ssl))->session.reset(session);
  return 1;  // ours now
}

// Once for each certificate of the chain, and for each fault; decides nothing.
int TlsClientContext::on_verified(int ok, X509_STORE_CTX* chain) {
  const auto* ssl = static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(chain, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto& server = *static_cast<Server*>(SSL_get_app_data(ssl));
  if (const X509* leaf = X509_STORE_CTX_get0_cert(chain)) server.certificate_end = x509::end_of(leaf);
  return ok;
}

}  // namespace rproxy::net
