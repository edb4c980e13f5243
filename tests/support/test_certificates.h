// Certificates made on the spot: an authority of the test's own, and whatever leaf a case needs.
#pragma once

#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "x509/handles.h"

namespace rproxy::test {

enum class KeyKind { kEc, kRsa, kEd25519 };

struct CertificateSpec {
  std::vector<std::string> names{};  // as OpenSSL writes them: "DNS:shop.com", "IP:127.0.0.1"
  KeyKind key = KeyKind::kEc;
  std::string common_name = "test";
  long valid_from = -3600;  // seconds from now
  long valid_to = 90L * 24 * 3600;
};

struct PemPair {
  std::string cert;
  std::string key;
};

inline x509::KeyPtr make_key(KeyKind kind) {
  switch (kind) {
    case KeyKind::kEc:
      return x509::KeyPtr(EVP_EC_gen("P-256"));
    case KeyKind::kRsa:
      return x509::KeyPtr(EVP_RSA_gen(2048));
    case KeyKind::kEd25519:
      return x509::KeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  }
  return nullptr;
}

inline std::string text_of(const x509::BioPtr& bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

inline std::string pem_of(X509* certificate) {
  const x509::BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(bio.get(), certificate);
  return text_of(bio);
}

inline std::string pem_of(EVP_PKEY* key, const char* password = nullptr) {
  const x509::BioPtr bio(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(bio.get(), key, password != nullptr ? EVP_aes_128_cbc() : nullptr, nullptr, 0, nullptr,
                           const_cast<char*>(password));
  return text_of(bio);
}

class TestAuthority {
 public:
  explicit TestAuthority(const std::string& name = "test authority") : key_(make_key(KeyKind::kEc)) {
    CertificateSpec spec;
    spec.common_name = name;
    certificate_ = make(spec, key_.get(), nullptr, true);
  }

  std::string pem() const { return pem_of(certificate_.get()); }

  // The list of those that it has revoked, in PEM; `valid_to` in seconds from now.
  std::string revoke(const std::vector<std::string>& certificates, long valid_to = 24L * 3600) const {
    X509_CRL* list = X509_CRL_new();
    X509_CRL_set_version(list, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(list, X509_get_subject_name(certificate_.get()));
    const std::unique_ptr<ASN1_TIME, x509::FreeBy<ASN1_TIME_free>> then(X509_gmtime_adj(nullptr, -7200));
    const std::unique_ptr<ASN1_TIME, x509::FreeBy<ASN1_TIME_free>> next(X509_gmtime_adj(nullptr, valid_to));
    X509_CRL_set1_lastUpdate(list, then.get());
    X509_CRL_set1_nextUpdate(list, next.get());
    for (const auto& pem : certificates) {
      const x509::BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
      const x509::X509Ptr revoked(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
      X509_REVOKED* entry = X509_REVOKED_new();
      X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(revoked.get()));
      X509_REVOKED_set_revocationDate(entry, then.get());
      X509_CRL_add0_revoked(list, entry);
    }
    X509_CRL_sign(list, key_.get(), EVP_sha256());
    const x509::BioPtr bio(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509_CRL(bio.get(), list);
    X509_CRL_free(list);
    return text_of(bio);
  }

  // A leaf signed by this authority.
  PemPair issue(const CertificateSpec& spec) const {
    const x509::KeyPtr key = make_key(spec.key);
    const x509::X509Ptr made = make(spec, key.get(), certificate_.get(), false);
    return {pem_of(made.get()), pem_of(key.get())};
  }

 private:
  static void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* made = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
    if (made == nullptr) throw std::runtime_error("extension " + value);
    X509_add_ext(certificate, made, -1);
    X509_EXTENSION_free(made);
  }

  x509::X509Ptr make(const CertificateSpec& spec, EVP_PKEY* key, X509* issuer, bool authority) const {
    static long serial = 1;
    x509::X509Ptr made(X509_new());
    X509* raw = made.get();
    X509_set_version(raw, X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(raw), serial++);
    X509_gmtime_adj(X509_getm_notBefore(raw), spec.valid_from);
    X509_gmtime_adj(X509_getm_notAfter(raw), spec.valid_to);
    X509_set_pubkey(raw, key);
    X509_NAME* subject = X509_get_subject_name(raw);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(spec.common_name.c_str()), -1, -1, 0);
    X509_set_issuer_name(raw, issuer != nullptr ? X509_get_subject_name(issuer) : subject);
    extend(raw, issuer != nullptr ? issuer : raw, NID_basic_constraints,
           authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
    if (!spec.names.empty()) {
      std::string names;
      for (const auto& name : spec.names) names += (names.empty() ? "" : ",") + name;
      extend(raw, issuer, NID_subject_alt_name, names);
    }
    X509_sign(raw, key_.get(), EVP_sha256());
    return made;
  }

  x509::KeyPtr key_;
  x509::X509Ptr certificate_;
};

}  // namespace rproxy::test
