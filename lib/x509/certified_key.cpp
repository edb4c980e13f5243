#include "x509/certified_key.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <utility>

namespace rproxy::x509 {
namespace {

constexpr std::size_t kFileMax = 1 << 20;
constexpr std::size_t kChainMax = 16;

tl::unexpected<Error> bad(const std::string& file, const std::string& what) {
  return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, file + ": " + what);
}

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Error{ErrorCode::kFile, Side::kLocal, Retry::kNever, errno, path});
  std::string text(kFileMax + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (text.size() > kFileMax) return fail(ErrorCode::kFile, Side::kLocal, Retry::kNever, path + ": larger than 1 MiB");
  return text;
}

BioPtr memory(const std::string& text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// No terminal to ask on: an encrypted key is an error, not a question.
int refuse_password(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::chrono::system_clock::time_point to_time(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return std::chrono::system_clock::from_time_t(timegm(&parts));
}

std::vector<std::string> dns_names(X509* leaf) {
  std::vector<std::string> names;
  auto* all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(leaf, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(all, i);
    if (name->type != GEN_DNS) continue;
    std::string text(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                     static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    names.push_back(std::move(text));
  }
  GENERAL_NAMES_free(all);
  std::ranges::sort(names);
  return names;
}

}  // namespace

std::string take_openssl_error() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* reason = ERR_reason_error_string(code);
  return reason != nullptr ? reason : "unknown OpenSSL error";
}

Result<CertifiedKey> CertifiedKey::load(const std::string& cert_file, const std::string& key_file) {
  auto cert_text = read_file(cert_file);
  if (!cert_text) return fail(std::move(cert_text.error()));
  auto key_text = read_file(key_file);
  if (!key_text) return fail(std::move(key_text.error()));
  CertifiedKey made;
  const BioPtr certs = memory(*cert_text);
  while (X509* next = PEM_read_bio_X509(certs.get(), nullptr, nullptr, nullptr)) {
    made.chain_.emplace_back(next);
    if (made.chain_.size() > kChainMax) return bad(cert_file, "more than 16 certificates");
  }
  ERR_clear_error();
  if (made.chain_.empty()) return bad(cert_file, "no certificate in PEM form");
  bool asked = false;
  made.key_.reset(PEM_read_bio_PrivateKey(memory(*key_text).get(), nullptr, &refuse_password, &asked));
  OPENSSL_cleanse(key_text->data(), key_text->size());
  if (asked) return bad(key_file, "the key is encrypted; decrypt it with openssl pkey");
  if (!made.key_) return bad(key_file, "no private key in PEM form (" + take_openssl_error() + ")");
  ERR_clear_error();
  if (X509_check_private_key(made.leaf(), made.key()) != 1) {
    ERR_clear_error();
    return bad(key_file, "the key does not belong to the certificate " + cert_file);
  }
  made.names_ = dns_names(made.leaf());
  made.not_before_ = to_time(X509_get0_notBefore(made.leaf()));
  made.not_after_ = to_time(X509_get0_notAfter(made.leaf()));
  return made;
}

}  // namespace rproxy::x509
