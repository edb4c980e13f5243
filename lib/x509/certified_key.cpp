#include "x509/certified_key.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "base/fd.h"
#include "x509/refusal.h"
#include "x509/secret.h"

namespace rproxy::x509 {
namespace {

// Far above any chain or key in use; keeps a wrong path, such as a disk image, from being read into memory.
constexpr std::size_t kFileMax = std::size_t{256} * 1024;
constexpr std::size_t kChainMax = 16;

int note_encrypted(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

Result<KeyPtr> parse_key(std::string_view pem, const std::string& name) {
  bool encrypted = false;
  const BioPtr bio = bio_of(pem);
  KeyPtr key(PEM_read_bio_PrivateKey(bio.get(), nullptr, note_encrypted, &encrypted));
  if (encrypted) {
    return refuse(
        fmt::format("{}: the private key is encrypted; decrypt it with `openssl pkey -in {} -out NEW`", name, name));
  }
  if (!key) return refuse(fmt::format("{}: no private key in PEM form ({})", name, take_openssl_reason()));
  const int type = EVP_PKEY_get_base_id(key.get());
  if (type != EVP_PKEY_RSA && type != EVP_PKEY_EC && type != EVP_PKEY_ED25519) {
    return refuse(fmt::format("{}: the key is neither RSA, ECDSA nor Ed25519", name));
  }
  return key;
}

}  // namespace

Result<std::string> read_file(const std::string& path, std::size_t size_max) {
  const auto failed = [&](int os_error, const char* why) {
    return fail(
        Error{ErrorCode::kFile, Side::kLocal, Retry::kNever, os_error, os_error != 0 ? path : path + ": " + why});
  };
  // O_NONBLOCK: opening a pipe by mistake must not hang.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return failed(errno, "");
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) return failed(errno, "");
  if (!S_ISREG(status.st_mode)) return failed(0, "not a regular file");
  if (static_cast<std::size_t>(status.st_size) > size_max) return failed(0, "larger than any such file should be");
  std::string text(static_cast<std::size_t>(status.st_size), '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(errno, "");
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  text.resize(size);
  return text;
}

Result<std::vector<Certificate>> parse_certificates(std::string_view pem, const std::string& name,
                                                    std::size_t count_max) {
  std::vector<Certificate> certificates;
  const BioPtr bio = bio_of(pem);
  for (;;) {
    X509Ptr parsed(PEM_read_bio_X509_AUX(bio.get(), nullptr, nullptr, nullptr));
    if (!parsed) break;
    if (certificates.size() == count_max) return refuse(fmt::format("{}: more than {} certificates", name, count_max));
    certificates.emplace_back(std::move(parsed));
  }
  // The end of the text is told as "no start line"; anything else is a certificate that does not parse.
  const unsigned long code = ERR_peek_last_error();
  const bool at_end = ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE;
  if (!at_end) {
    return refuse(
        fmt::format("{}: certificate {} is malformed ({})", name, certificates.size() + 1, take_openssl_reason()));
  }
  ERR_clear_error();
  if (certificates.empty()) return refuse(fmt::format("{}: no certificate in PEM form", name));
  return certificates;
}

Result<std::vector<Certificate>> load_chain(const std::string& file) {
  const auto text = read_file(file, kFileMax);
  if (!text) return fail(text.error());
  ERR_clear_error();
  return parse_certificates(*text, file, kChainMax);
}

Result<KeyPtr> load_key(const std::string& file) {
  auto text = read_file(file, kFileMax);
  if (!text) return fail(std::move(text.error()));
  const Secret secret = Secret::take(*text);
  return parse_key(secret.view(), file);
}

Result<CertifiedKey> CertifiedKey::load(const std::string& cert_file, const std::string& key_file) {
  auto chain = load_chain(cert_file);
  if (!chain) return fail(std::move(chain.error()));
  auto key = load_key(key_file);
  if (!key) return fail(std::move(key.error()));
  return pair(std::move(*chain), std::move(*key), cert_file, key_file);
}

Result<CertifiedKey> CertifiedKey::parse(std::string_view cert, std::string_view key_text, const std::string& cert_name,
                                         const std::string& key_name) {
  ERR_clear_error();
  auto chain = parse_certificates(cert, cert_name, kChainMax);
  if (!chain) return fail(std::move(chain.error()));
  auto key = parse_key(key_text, key_name);
  if (!key) return fail(std::move(key.error()));
  return pair(std::move(*chain), std::move(*key), cert_name, key_name);
}

Result<CertifiedKey> CertifiedKey::pair(std::vector<Certificate> chain, KeyPtr key, const std::string& cert_name,
                                        const std::string& key_name) {
  const auto belongs = [&](const Certificate& each) { return X509_check_private_key(each.native(), key.get()) == 1; };
  if (!belongs(chain.front())) {
    const bool later = std::any_of(chain.begin(), chain.end(), belongs);
    if (later) {
      return refuse(
          fmt::format("{}: the certificate of the key {} must come first, before its chain", cert_name, key_name));
    }
    return refuse(fmt::format("{}: the private key {} does not belong to this certificate", cert_name, key_name));
  }
  ERR_clear_error();
  return CertifiedKey(std::move(chain), std::move(key));
}

}  // namespace rproxy::x509
