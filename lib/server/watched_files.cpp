#include "server/watched_files.h"

#include <sys/stat.h>

#include <algorithm>

#include "base/log.h"

namespace rproxy::server {
namespace {

using Identity = std::shared_ptr<const net::TlsIdentity>;

Result<Identity> read_identity(const net::CertificateFiles& files) {
  auto key = x509::CertifiedKey::load(files.cert, files.key);
  if (!key) return fail(std::move(key.error()));
  return net::TlsIdentity::create(std::make_shared<const x509::CertifiedKey>(std::move(*key)));
}

bool is_same(const x509::CertifiedKey& a, const x509::CertifiedKey& b) {
  return std::ranges::equal(a.chain(), b.chain(), [](const x509::Certificate& left, const x509::Certificate& right) {
    return X509_cmp(left.native(), right.native()) == 0;
  });
}

// Whether they say something else than is shown, which is replaced.
bool reread_pair(const net::CertificateFiles& files, Identity& shown) {
  auto identity = read_identity(files);
  if (!identity) {
    log::warn("certificate not taken, the one before goes on being shown: {}", describe(identity.error()));
    return false;
  }
  if (is_same((*identity)->key(), shown->key())) return false;
  shown = std::move(*identity);
  log::info("{}: another certificate for {} is shown", files.cert, shown->key().leaf().label());
  return true;
}

}  // namespace

FileStamp FileStamp::of(const std::string& file) {
  struct stat status {};
  if (file.empty() || ::stat(file.c_str(), &status) != 0) return {};
  return {status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec, status.st_ino,
          static_cast<std::uint64_t>(status.st_size)};
}

IdentityFiles::Stamps IdentityFiles::stamps_of(const net::CertificateFiles& files) {
  return {FileStamp::of(files.cert), FileStamp::of(files.key)};
}

Result<IdentityFiles> IdentityFiles::load(std::vector<net::CertificateFiles> files, LoadedIdentities& loaded) {
  IdentityFiles made;
  for (const auto& pair : files) {
    made.stamps_.push_back(stamps_of(pair));
    auto& known = loaded[{pair.cert, pair.key}];
    if (!known) {
      auto identity = read_identity(pair);
      if (!identity) return fail(std::move(identity.error()));
      known = std::move(*identity);
    }
    made.shown_.push_back(known);
  }
  made.files_ = std::move(files);
  return made;
}

bool IdentityFiles::reread() {
  bool has_changed = false;
  for (std::size_t i = 0; i < files_.size(); ++i) {
    const Stamps stamps = stamps_of(files_[i]);
    if (std::exchange(stamps_[i], stamps) == stamps) continue;
    has_changed = reread_pair(files_[i], shown_[i]) || has_changed;
  }
  return has_changed;
}

Result<TrustFiles> TrustFiles::load(std::string authorities, std::string lists) {
  TrustFiles made;
  made.authorities_ = std::move(authorities);
  made.lists_ = std::move(lists);
  if (auto done = made.read(); !done) return fail(std::move(done.error()));
  return made;
}

Result<void> TrustFiles::read() {
  stamps_ = {FileStamp::of(authorities_), FileStamp::of(lists_)};
  auto store = x509::TrustStore::from_files(authorities_, lists_);
  if (!store) return fail(std::move(store.error()));
  trusted_ = std::make_shared<const x509::TrustStore>(std::move(*store));
  return {};
}

bool TrustFiles::reread() {
  if (stamps_ == std::pair{FileStamp::of(authorities_), FileStamp::of(lists_)}) return false;
  const auto before = trusted_;
  if (auto done = read(); !done) {
    log::warn("authorities of clients not taken, those before go on: {}", describe(done.error()));
    return false;
  }
  if (trusted_->is_same(*before)) return false;
  log::info("{}: other authorities, or revoked certificates, of clients", authorities_);
  return true;
}

}  // namespace rproxy::server
