#include "server/tls_material.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/log.h"
#include "server/names_to_certify.h"
#include "x509/issuing.h"
#include "x509/private_key.h"

namespace rproxy::server {
namespace {

std::vector<std::string> alpn_of(upstream::Protocol protocol) {
  switch (protocol) {
    case upstream::Protocol::kHttp2:
      return {"h2"};
    case upstream::Protocol::kAuto:
      return {"h2", "http/1.1"};
    case upstream::Protocol::kHttp1:
      break;
  }
  return {"http/1.1"};
}

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
bool reread(const net::CertificateFiles& files, Identity& shown) {
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

// Until the first certificate has come: TLS that nobody trusts, rather than none.
Result<Identity> placeholder(const std::vector<std::string>& names) {
  auto key = x509::generate_key(x509::KeyType::kEcP256);
  if (!key) return fail(std::move(key.error()));
  x509::Profile profile;
  profile.common_name = "rproxy placeholder";
  profile.names.push_back({x509::SubjectName::Kind::kDns, names.empty() ? "localhost" : names.front()});
  profile.not_before = std::chrono::system_clock::now() - std::chrono::hours{1};
  profile.not_after = profile.not_before + std::chrono::hours{24 * 365};
  auto certificate = x509::self_signed(profile, key->get());
  if (!certificate) return fail(std::move(certificate.error()));
  auto both = x509::CertifiedKey::pair({std::move(*certificate)}, std::move(*key), "placeholder", "placeholder");
  if (!both) return fail(std::move(both.error()));
  return net::TlsIdentity::create(std::make_shared<const x509::CertifiedKey>(std::move(*both)));
}

}  // namespace

Result<TlsMaterial> TlsMaterial::load(const config::Config& config, const TlsMaterial* previous) {
  TlsMaterial material;
  material.tickets_ = previous != nullptr ? previous->tickets_ : std::make_shared<net::TicketKeys>();
  LoadedKeys loaded;
  for (const auto& listener : config.listeners) {
    if (auto done = material.load_door(listener, loaded); !done) return fail(std::move(done.error()));
  }
  if (auto done = material.find_names(config, previous); !done) return fail(std::move(done.error()));
  for (Door& door : material.doors_) {
    if (auto done = material.show(door); !done) return fail(std::move(done.error()));
  }
  for (const auto& upstream : config.upstreams) {
    if (auto done = material.load_upstream(upstream, previous); !done) return fail(std::move(done.error()));
  }
  return material;
}

Result<void> TlsMaterial::load_door(const config::Listener& listener, LoadedKeys& loaded) {
  Door& door = doors_.emplace_back();
  if (!listener.tls) return {};
  door.options = &*listener.tls;
  door.protocols = &listener.protocols;
  door.has_acme = listener.has_acme;
  door.from_files = std::make_shared<net::TlsIdentities::List>();
  door.stamps = std::make_shared<std::vector<FileStamps>>();
  for (const auto& files : listener.tls->certificates) {
    door.stamps->push_back({stamp_of(files.cert), stamp_of(files.key)});
    auto& known = loaded[{files.cert, files.key}];
    if (!known) {
      auto identity = read_identity(files);
      if (!identity) return fail(std::move(identity.error()));
      known = std::move(*identity);
    }
    door.from_files->push_back(known);
  }
  return {};
}

TlsMaterial::FileStamp TlsMaterial::stamp_of(const std::string& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return {};
  return {status.st_mtim.tv_sec * 1'000'000'000 + status.st_mtim.tv_nsec, status.st_ino,
          static_cast<std::uint64_t>(status.st_size)};
}

Result<void> TlsMaterial::find_names(const config::Config& config, const TlsMaterial* previous) {
  if (!config.acme.enabled) return {};
  net::TlsIdentities::List have;
  for (const Door& door : doors_) {
    if (door.has_acme) have.insert(have.end(), door.from_files->begin(), door.from_files->end());
  }
  names_ = server::names_to_certify(config, have);
  const bool goes_on = previous != nullptr && previous->issued_ != nullptr && previous->issued_->is_of(config.acme);
  issued_ = goes_on ? previous->issued_ : std::make_shared<IssuedCertificates>(config.acme);
  return issued_->read(names_);
}

Result<std::shared_ptr<const net::TlsIdentities>> TlsMaterial::identities_of(const Door& door) const {
  net::TlsIdentities::List all = *door.from_files;
  if (door.has_acme && issued_ != nullptr) {
    const auto issued = issued_->of(names_);
    all.insert(all.end(), issued.begin(), issued.end());
  }
  if (all.empty()) {
    auto made = placeholder(names_);
    if (!made) return fail(std::move(made.error()));
    all.push_back(std::move(*made));
  }
  return std::make_shared<const net::TlsIdentities>(std::move(all));
}

Result<void> TlsMaterial::show(Door& door) {
  if (door.options == nullptr) return {};
  auto identities = identities_of(door);
  if (!identities) return fail(std::move(identities.error()));
  door.presence =
      std::make_shared<net::TlsPresence>(std::move(*identities), door.has_acme ? issued_->challenges() : nullptr);
  auto tried = net::TlsServerContext::create(*door.options, door.presence, *tickets_);
  if (!tried) return fail(std::move(tried.error()));
  return {};
}

Result<void> TlsMaterial::show_issued(const std::string& name, std::shared_ptr<const x509::CertifiedKey> key) const {
  if (auto done = issued_->put(name, std::move(key)); !done) return done;
  return show_again();
}

Result<void> TlsMaterial::show_again() const {
  for (const Door& door : doors_) {
    if (!door.has_acme) continue;
    auto identities = identities_of(door);
    if (!identities) return fail(std::move(identities.error()));
    door.presence->show(std::move(*identities));
  }
  return {};
}

void TlsMaterial::reread_files() const {
  for (const Door& door : doors_) {
    if (door.options == nullptr) continue;
    bool has_changed = false;
    for (std::size_t i = 0; i < door.from_files->size(); ++i) {
      const auto& files = door.options->certificates[i];
      const FileStamps stamps{stamp_of(files.cert), stamp_of(files.key)};
      if (std::exchange((*door.stamps)[i], stamps) == stamps) continue;
      has_changed = reread(files, (*door.from_files)[i]) || has_changed;
    }
    if (!has_changed) continue;
    if (auto identities = identities_of(door)) door.presence->show(std::move(*identities));
  }
}

std::vector<std::pair<std::string, x509::Certificate>> TlsMaterial::from_files() const {
  std::vector<std::pair<std::string, x509::Certificate>> all;
  std::set<std::string> seen;
  for (const Door& door : doors_) {
    for (std::size_t i = 0; door.options != nullptr && i < door.from_files->size(); ++i) {
      const std::string& file = door.options->certificates[i].cert;
      if (seen.insert(file).second) all.emplace_back(file, (*door.from_files)[i]->key().leaf());
    }
  }
  return all;
}

Result<void> TlsMaterial::load_upstream(const upstream::Options& upstream, const TlsMaterial* previous) {
  const net::TlsClientOptions& options = upstream.tls;
  if (!options.enabled || !options.verify || trusted_.contains(options.ca_file)) return {};
  auto store = net::TlsClientContext::read_trusted(options);
  if (!store) return fail(std::move(store.error()));
  auto& trusted = trusted_[options.ca_file] = std::make_shared<const x509::TrustStore>(std::move(*store));
  if (previous == nullptr) return {};
  const auto known = previous->trusted_.find(options.ca_file);
  if (known != previous->trusted_.end() && known->second->is_same(*trusted)) trusted = known->second;
  return {};
}

bool TlsMaterial::shows_others(const TlsMaterial& other) const {
  // Copies share, and live on while others take the place of what is shown.
  const auto shown = [](const TlsMaterial& material) {
    std::vector<x509::Certificate> leaves;
    for (const Door& door : material.doors_) {
      if (door.presence == nullptr) continue;
      const auto identities = door.presence->shown();
      for (const auto& identity : identities->all()) leaves.push_back(identity->key().leaf());
    }
    return leaves;
  };
  return !std::ranges::equal(shown(*this), shown(other), [](const x509::Certificate& a, const x509::Certificate& b) {
    return X509_cmp(a.native(), b.native()) == 0;
  });
}

std::shared_ptr<const x509::TrustStore> TlsMaterial::trusted(const upstream::Upstream& upstream) const {
  const net::TlsClientOptions& options = upstream.options().tls;
  if (!options.enabled || !options.verify) return nullptr;
  const auto found = trusted_.find(options.ca_file);
  return found != trusted_.end() ? found->second : nullptr;
}

std::unique_ptr<net::TlsServerContext> TlsMaterial::server_context(std::size_t listener_index) const {
  const Door& door = doors_.at(listener_index);
  return std::move(net::TlsServerContext::create(*door.options, door.presence, *tickets_, *door.protocols)).value();
}

std::unique_ptr<net::TlsClientContext> TlsMaterial::client_context(const upstream::Upstream& upstream) const {
  const auto store = trusted(upstream);
  return std::move(
             net::TlsClientContext::create(upstream.options().tls, store.get(), alpn_of(upstream.options().protocol)))
      .value();
}

const x509::TrustStore* TlsMaterial::trusted_by(const upstream::Options& upstream) const {
  const auto store = trusted_.find(upstream.tls.ca_file);
  return store != trusted_.end() ? store->second.get() : nullptr;
}

}  // namespace rproxy::server
