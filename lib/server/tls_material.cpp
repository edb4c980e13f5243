#include "server/tls_material.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include "base/log.h"
#include "server/names_to_certify.h"
#include "x509/issuing.h"
#include "x509/ocsp.h"
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
  LoadedIdentities loaded;
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

Result<void> TlsMaterial::load_door(const config::Listener& listener, LoadedIdentities& loaded) {
  Door& door = doors_.emplace_back();
  if (!listener.tls) return {};
  door.options = &*listener.tls;
  door.protocols = &listener.protocols;
  door.has_acme = listener.has_acme;
  auto files = IdentityFiles::load(listener.tls->certificates, loaded);
  if (!files) return fail(std::move(files.error()));
  door.from_files = std::make_shared<IdentityFiles>(std::move(*files));
  if (const auto& asked = listener.tls->client_auth) {
    auto clients = TrustFiles::load(asked->ca_file, asked->crl_file);
    if (!clients) return fail(std::move(clients.error()));
    door.clients = std::make_shared<TrustFiles>(std::move(*clients));
  }
  return {};
}

Result<void> TlsMaterial::find_names(const config::Config& config, const TlsMaterial* previous) {
  if (!config.acme.enabled) return {};
  net::TlsIdentities::List have;
  for (const Door& door : doors_) {
    if (!door.has_acme) continue;
    const auto& shown = door.from_files->shown();
    have.insert(have.end(), shown.begin(), shown.end());
  }
  names_ = server::names_to_certify(config, have);
  const bool goes_on = previous != nullptr && previous->issued_ != nullptr && previous->issued_->is_of(config.acme);
  issued_ = goes_on ? previous->issued_ : std::make_shared<IssuedCertificates>(config.acme);
  if (const auto& options = config.acme.on_demand) {
    const bool is_same = goes_on && previous->on_demand_ != nullptr && previous->on_demand_->options() == *options;
    on_demand_ = is_same ? previous->on_demand_ : std::make_shared<OnDemand>(*options);
    if (!is_same) on_demand_->admit(issued_->stored_names());
  }
  return issued_->read(names_to_certify());
}

std::vector<std::string> TlsMaterial::names_to_certify() const {
  std::vector<std::string> names = names_;
  if (on_demand_ == nullptr) return names;
  for (std::string& name : on_demand_->names()) {
    if (!std::ranges::binary_search(names_, name)) names.push_back(std::move(name));
  }
  return names;
}

Result<std::shared_ptr<const net::TlsIdentities>> TlsMaterial::identities_of(const Door& door) const {
  net::TlsIdentities::List all = door.from_files->shown();
  if (door.has_acme && issued_ != nullptr) {
    const auto issued = issued_->of(names_to_certify());
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
  door.presence = std::make_shared<net::TlsPresence>(
      std::move(*identities), door.has_acme ? issued_->challenges() : nullptr, door.has_acme ? on_demand_ : nullptr);
  if (door.clients != nullptr) door.presence->trust(door.clients->trusted());
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
    if (door.clients != nullptr && door.clients->reread()) door.presence->trust(door.clients->trusted());
    if (!door.from_files->reread()) continue;
    if (auto identities = identities_of(door)) door.presence->show(std::move(*identities));
  }
  for (const auto& [files, own] : own_) {
    if (own.files->reread()) own.presence->show(std::make_shared<net::TlsIdentities>(own.files->shown()));
  }
}

std::vector<std::pair<std::string, x509::Certificate>> TlsMaterial::from_files() const {
  std::vector<std::pair<std::string, x509::Certificate>> all;
  std::set<std::string> seen;
  const auto add = [&](const IdentityFiles& pairs) {
    for (std::size_t i = 0; i < pairs.files().size(); ++i) {
      const std::string& file = pairs.files()[i].cert;
      if (seen.insert(file).second) all.emplace_back(file, pairs.shown()[i]->key().leaf());
    }
  };
  for (const Door& door : doors_) {
    if (door.options != nullptr) add(*door.from_files);
  }
  for (const auto& [files, own] : own_) add(*own.files);
  return all;
}

net::TlsIdentities::List TlsMaterial::to_staple() const {
  net::TlsIdentities::List all;
  for (const Door& door : doors_) {
    if (door.presence == nullptr || !door.options->ocsp_stapling) continue;
    for (const auto& identity : door.presence->shown()->all()) {
      const auto& chain = identity->key().chain();
      if (chain.size() > 1 && !x509::ocsp_responder(chain.front()).empty()) all.push_back(identity);
    }
  }
  return all;
}

Result<void> TlsMaterial::load_upstream(const upstream::Options& upstream, const TlsMaterial* previous) {
  const net::TlsClientOptions& options = upstream.tls;
  if (!options.enabled) return {};
  if (auto done = load_own(options.own, previous); !done) return done;
  return load_trusted(options, previous);
}

Result<void> TlsMaterial::load_trusted(const net::TlsClientOptions& options, const TlsMaterial* previous) {
  if (!options.verify || trusted_.contains(options.ca_file)) return {};
  auto store = net::TlsClientContext::read_trusted(options);
  if (!store) return fail(std::move(store.error()));
  auto& trusted = trusted_[options.ca_file] = std::make_shared<const x509::TrustStore>(std::move(*store));
  if (previous == nullptr) return {};
  const auto known = previous->trusted_.find(options.ca_file);
  if (known != previous->trusted_.end() && known->second->is_same(*trusted)) trusted = known->second;
  return {};
}

// Connections that go on with a reload go by what they know: it is told what the files say now.
Result<void> TlsMaterial::load_own(const net::CertificateFiles& files, const TlsMaterial* previous) {
  const OwnKey key{files.cert, files.key};
  if (files.cert.empty() || own_.contains(key)) return {};
  LoadedIdentities loaded;
  auto read = IdentityFiles::load({files}, loaded);
  if (!read) return fail(std::move(read.error()));
  auto shown = std::make_shared<net::TlsIdentities>(read->shown());
  Own& own = own_[key];
  own.files = std::make_shared<IdentityFiles>(std::move(*read));
  const auto known = previous != nullptr ? previous->own_.find(key) : own_.end();
  if (previous == nullptr || known == previous->own_.end()) {
    own.presence = std::make_shared<net::TlsPresence>(std::move(shown));
  } else {
    own.presence = known->second.presence;
    own.presence->show(std::move(shown));
  }
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
  const upstream::Options& options = upstream.options();
  return std::move(net::TlsClientContext::create(options.tls, client_material(options), alpn_of(options.protocol)))
      .value();
}

net::TlsClientMaterial TlsMaterial::client_material(const upstream::Options& upstream) const {
  const auto store = trusted_.find(upstream.tls.ca_file);
  const auto own = own_.find({upstream.tls.own.cert, upstream.tls.own.key});
  return {store != trusted_.end() ? store->second.get() : nullptr, own != own_.end() ? own->second.presence : nullptr};
}

}  // namespace rproxy::server
