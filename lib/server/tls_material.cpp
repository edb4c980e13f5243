#include "server/tls_material.h"

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

Result<TlsMaterial> TlsMaterial::load(const config::Config& config) {
  TlsMaterial material;
  material.tickets_ = std::make_shared<net::TicketKeys>();
  LoadedKeys loaded;
  for (const auto& listener : config.listeners) {
    if (auto done = material.load_door(listener, loaded); !done) return fail(std::move(done.error()));
  }
  for (const auto& upstream : config.upstreams) {
    if (auto done = material.load_upstream(upstream); !done) return fail(std::move(done.error()));
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

Result<void> TlsMaterial::load_upstream(const upstream::Options& upstream) {
  const net::TlsClientOptions& options = upstream.tls;
  if (!options.enabled || !options.verify || trusted_.contains(options.ca_file)) return {};
  auto store = net::TlsClientContext::read_trusted(options);
  if (!store) return fail(std::move(store.error()));
  trusted_.emplace(options.ca_file, std::move(*store));
  return {};
}

std::unique_ptr<net::TlsServerContext> TlsMaterial::server_context(std::size_t listener_index) const {
  const Door& door = doors_.at(listener_index);
  return std::move(net::TlsServerContext::create(*door.options, door.keys, *tickets_, *door.protocols)).value();
}

std::unique_ptr<net::TlsClientContext> TlsMaterial::client_context(const upstream::Upstream& upstream) const {
  const net::TlsClientOptions& options = upstream.options().tls;
  const auto store = trusted_.find(options.ca_file);
  return std::move(net::TlsClientContext::create(options, store != trusted_.end() ? &store->second : nullptr,
                                                 alpn_of(upstream.options().protocol)))
      .value();
}

const x509::TrustStore* TlsMaterial::trusted_by(const upstream::Options& upstream) const {
  const auto store = trusted_.find(upstream.tls.ca_file);
  return store != trusted_.end() ? &store->second : nullptr;
}

}  // namespace rproxy::server
