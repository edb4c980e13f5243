#include "server/tls_material.h"

#include <algorithm>

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

}  // namespace

Result<TlsMaterial> TlsMaterial::load(const config::Config& config, const TlsMaterial* previous) {
  TlsMaterial material;
  material.tickets_ = previous != nullptr ? previous->tickets_ : std::make_shared<net::TicketKeys>();
  LoadedKeys loaded;
  for (const auto& listener : config.listeners) {
    if (auto done = material.load_door(listener, loaded); !done) return fail(std::move(done.error()));
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
  for (const auto& files : listener.tls->certificates) {
    auto& known = loaded[{files.cert, files.key}];
    if (!known) {
      auto key = x509::CertifiedKey::load(files.cert, files.key);
      if (!key) return fail(std::move(key.error()));
      known = std::make_shared<const x509::CertifiedKey>(std::move(*key));
    }
    door.keys.push_back(known);
  }
  auto tried = net::TlsServerContext::create(*door.options, door.keys, *tickets_);
  if (!tried) return fail(std::move(tried.error()));
  return {};
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
  const auto shown = [](const TlsMaterial& material) {
    std::vector<X509*> leaves;
    for (const Door& door : material.doors_) {
      for (const auto& key : door.keys) leaves.push_back(key->leaf().native());
    }
    return leaves;
  };
  return !std::ranges::equal(shown(*this), shown(other), [](X509* a, X509* b) { return X509_cmp(a, b) == 0; });
}

std::shared_ptr<const x509::TrustStore> TlsMaterial::trusted(const upstream::Upstream& upstream) const {
  const net::TlsClientOptions& options = upstream.options().tls;
  if (!options.enabled || !options.verify) return nullptr;
  const auto found = trusted_.find(options.ca_file);
  return found != trusted_.end() ? found->second : nullptr;
}

std::unique_ptr<net::TlsServerContext> TlsMaterial::server_context(std::size_t listener_index) const {
  const Door& door = doors_.at(listener_index);
  return std::move(net::TlsServerContext::create(*door.options, door.keys, *tickets_, *door.protocols)).value();
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
