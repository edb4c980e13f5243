#include "x509/trust_store.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "x509/certified_key.h"
#include "x509/facts.h"

namespace rproxy::x509 {
namespace {

using ListPtr = std::unique_ptr<X509_CRL, FreeBy<X509_CRL_free>>;

constexpr std::size_t kBundleMax = std::size_t{8} * 1024 * 1024;
constexpr std::size_t kCertificatesMax = 4096;

// Read whole at start-up: a directory of hashed names would be searched, blocking, in the middle of a handshake.
std::string system_bundle() {
  const char* chosen = std::getenv(X509_get_default_cert_file_env());
  if (chosen != nullptr && *chosen != '\0') return chosen;
  for (const char* path : {X509_get_default_cert_file(), "/etc/ssl/certs/ca-certificates.crt",
                           "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"}) {
    if (::access(path, R_OK) == 0) return path;
  }
  return {};
}

std::string digest_of(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  return {reinterpret_cast<const char*>(digest.data()), size};
}

}  // namespace

Result<TrustStore> TrustStore::read(const std::string& path) {
  auto text = read_file(path, kBundleMax);
  if (!text) return fail(std::move(text.error()));
  ERR_clear_error();
  auto certificates = parse_certificates(*text, path, kCertificatesMax);
  if (!certificates) return fail(std::move(certificates.error()));
  StorePtr store(X509_STORE_new());
  for (const Certificate& certificate : *certificates) X509_STORE_add_cert(store.get(), certificate.native());
  ERR_clear_error();
  return TrustStore(std::move(store), std::move(*certificates), digest_of(*text));
}

Result<TrustStore> TrustStore::system() {
  const std::string bundle = system_bundle();
  if (!bundle.empty()) return read(bundle);
  StorePtr store(X509_STORE_new());
  X509_STORE_set_default_paths(store.get());
  ERR_clear_error();
  return TrustStore(std::move(store), {}, {});
}

Result<TrustStore> TrustStore::from_file(const std::string& path) {
  auto store = read(path);
  // What the operator put there is trusted as it is: a private intermediate does not need its root beside it.
  if (store) X509_STORE_set_flags(store->native(), X509_V_FLAG_PARTIAL_CHAIN);
  return store;
}

Result<TrustStore> TrustStore::from_files(const std::string& authorities, const std::string& revocation_lists) {
  auto store = from_file(authorities);
  if (!store || revocation_lists.empty()) return store;
  if (auto done = store->add_lists(revocation_lists); !done) return fail(std::move(done.error()));
  return store;
}

Result<void> TrustStore::add_lists(const std::string& path) {
  auto text = read_file(path, kBundleMax);
  if (!text) return fail(std::move(text.error()));
  ERR_clear_error();
  const BioPtr bio(BIO_new_mem_buf(text->data(), static_cast<int>(text->size())));
  for (;;) {
    const ListPtr list(PEM_read_bio_X509_CRL(bio.get(), nullptr, nullptr, nullptr));
    if (!list) break;
    X509_STORE_add_crl(native(), list.get());
    const ASN1_TIME* const next = X509_CRL_get0_nextUpdate(list.get());
    lists_.emplace_back(text_of(X509_CRL_get_issuer(list.get())),
                        next != nullptr ? std::optional(wall_time(next)) : std::nullopt);
  }
  const bool is_at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  if (lists_.empty() || !is_at_end) {
    return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever,
                lists_.empty() && is_at_end
                    ? path + ": no list of revoked certificates (BEGIN X509 CRL)"
                    : path + ": malformed list of revoked certificates: " + take_openssl_reason());
  }
  ERR_clear_error();
  X509_STORE_set_flags(native(), X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  digest_ = digest_of(digest_ + *text);
  return {};
}

std::optional<WallTime> TrustStore::good_until() const {
  std::optional<WallTime> first;
  for (const auto& [issuer, next] : lists_) {
    if (next && (!first || *next < *first)) first = next;
  }
  return first;
}

std::optional<Certificate> TrustStore::issuer_of(const Certificate& certificate) const {
  const std::unique_ptr<X509_STORE_CTX, FreeBy<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), native(), nullptr, nullptr) != 1) return std::nullopt;
  X509* issuer = nullptr;
  if (X509_STORE_CTX_get1_issuer(&issuer, context.get(), certificate.native()) != 1) return std::nullopt;
  return Certificate(X509Ptr(issuer));
}

bool TrustStore::has(const Certificate& certificate) const {
  const std::unique_ptr<X509_STORE_CTX, FreeBy<X509_STORE_CTX_free>> context(X509_STORE_CTX_new());
  if (!context || X509_STORE_CTX_init(context.get(), native(), nullptr, nullptr) != 1) return false;
  struct StackFree {
    void operator()(STACK_OF(X509) * all) const { sk_X509_pop_free(all, X509_free); }
  };
  const std::unique_ptr<STACK_OF(X509), StackFree> found(
      X509_STORE_CTX_get1_certs(context.get(), X509_get_subject_name(certificate.native())));
  const int count = found ? sk_X509_num(found.get()) : 0;
  for (int i = 0; i < count; ++i) {
    if (X509_cmp(sk_X509_value(found.get(), i), certificate.native()) == 0) return true;
  }
  return false;
}

}  // namespace rproxy::x509
