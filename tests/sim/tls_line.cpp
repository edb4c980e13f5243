#include "sim/tls_line.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdexcept>
#include <utility>

namespace rproxy::sim {
namespace {

x509::X509Ptr self_signed(EVP_PKEY* key) {
  x509::X509Ptr made(X509_new());
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -3600);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  X509_set_pubkey(made.get(), key);
  X509_sign(made.get(), key, nullptr);
  return made;
}

std::string text_of(const x509::BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

TlsParts::TlsParts() : client_(SSL_CTX_new(TLS_client_method())), server_(SSL_CTX_new(TLS_server_method())) {
  const x509::KeyPtr key(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  const x509::X509Ptr certificate = self_signed(key.get());
  SSL_CTX_use_certificate(server_.get(), certificate.get());
  SSL_CTX_use_PrivateKey(server_.get(), key.get());
  const x509::BioPtr certificate_text(BIO_new(BIO_s_mem()));
  const x509::BioPtr key_text(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(certificate_text.get(), certificate.get());
  PEM_write_bio_PrivateKey(key_text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  auto parsed = x509::CertifiedKey::parse(text_of(certificate_text), text_of(key_text), "cert", "key");
  if (!parsed) throw std::runtime_error(describe(parsed.error()));
  keys_.push_back(std::make_shared<const x509::CertifiedKey>(std::move(*parsed)));
}

TlsLine::TlsLine(World& world, Peer& script, SSL_CTX* context, bool accepts)
    : script_(script), wire_(std::make_shared<Wire>(world, *this)), ssl_(SSL_new(context)) {
  SSL_set_bio(ssl_.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  if (accepts) {
    SSL_set_accept_state(ssl_.get());
  } else {
    SSL_set_connect_state(ssl_.get());
    receive();
  }
}

void TlsLine::send(std::string_view bytes) {
  if (SSL_is_init_finished(ssl_.get()) == 0) {
    unsent_ += bytes;
  } else if (!bytes.empty()) {
    SSL_write(ssl_.get(), bytes.data(), static_cast<int>(bytes.size()));
    flush();
  }
}

void TlsLine::finish() {
  if (SSL_is_init_finished(ssl_.get()) == 0 && !told_end_) {
    finishing_ = true;
    return;
  }
  SSL_shutdown(ssl_.get());
  flush();
  wire_->finish();
}

void TlsLine::on_bytes(std::string_view bytes) {
  BIO_write(SSL_get_rbio(ssl_.get()), bytes.data(), static_cast<int>(bytes.size()));
  receive();
}

void TlsLine::on_end(End end) {
  if (std::exchange(told_end_, true)) return;
  script_.on_end(End::kReset);
  if (end == End::kFin) wire_->finish();
}

void TlsLine::receive() {
  char part[4096];
  ERR_clear_error();
  int size = 0;
  while ((size = SSL_read(ssl_.get(), part, sizeof part)) > 0) script_.on_bytes({part, static_cast<std::size_t>(size)});
  const bool ended = SSL_get_error(ssl_.get(), size) == SSL_ERROR_ZERO_RETURN;
  ERR_clear_error();
  flush();
  if (SSL_is_init_finished(ssl_.get()) != 0) {
    send(std::exchange(unsent_, {}));
    if (std::exchange(finishing_, false)) finish();
  }
  if (ended && !std::exchange(told_end_, true)) script_.on_end(End::kFin);
}

void TlsLine::flush() {
  char* data = nullptr;
  const long size = BIO_get_mem_data(SSL_get_wbio(ssl_.get()), &data);
  if (size > 0) wire_->send({data, static_cast<std::size_t>(size)});
  (void)BIO_reset(SSL_get_wbio(ssl_.get()));
}

}  // namespace rproxy::sim
