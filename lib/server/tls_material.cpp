#include "server/tls_material.h"

#include <chrono>

#include "base/log.h"

namespace rproxy::server {
namespace {

constexpr std::chrono::hours kWarnBefore{14 * 24};

void warn_of_dates(const x509::CertifiedKey& key, const std::string& file) {
  const auto now = std::chrono::system_clock::now();
  if (key.leaf().not_after() <= now) {
    log::warn("{}: the certificate has expired", file);
  } else if (key.leaf().not_after() - now < kWarnBefore) {
    log::warn("{}: the certificate expires in {} hours", file,
              std::chrono::duration_cast<std::chrono::hours>(key.leaf().not_after() - now).count());
  } else if (key.leaf().not_before() > now) {
    log::warn("{}: the certificate is not valid yet", file);
  }
}

}  // namespace

Result<TlsMaterial> TlsMaterial::load(const config::Config& config) {
  TlsMaterial material;
  const auto tickets = std::make_shared<net::TicketKeys>();
  std::map<std::pair<std::string, std::string>, std::shared_ptr<const x509::CertifiedKey>> loaded;
  for (const auto& listener : config.listeners) {
    Door& door = material.doors_.emplace_back();
    if (!listener.tls) continue;
    door.options = &*listener.tls;
    door.tickets = tickets;
    for (const auto& files : listener.tls->certificates) {
      auto& known = loaded[{files.cert, files.key}];
      if (!known) {
        auto key = x509::CertifiedKey::load(files.cert, files.key);
        if (!key) return fail(std::move(key.error()));
        warn_of_dates(*key, files.cert);
        known = std::make_shared<const x509::CertifiedKey>(std::move(*key));
      }
      door.keys.push_back(known);
    }
    if (auto tried = net::TlsServerContext::create(*door.options, door.keys, *tickets); !tried) {
      return fail(std::move(tried.error()));
    }
  }
  for (const auto& upstream : config.upstreams) {
    if (!upstream.tls.enabled) continue;
    if (auto tried = net::TlsClientContext::create(upstream.tls); !tried) return fail(std::move(tried.error()));
  }
  return material;
}

std::unique_ptr<net::TlsServerContext> TlsMaterial::server_context(std::size_t listener_index) const {
  const Door& door = doors_[listener_index];
  return std::move(net::TlsServerContext::create(*door.options, door.keys, *door.tickets)).value();
}

std::unique_ptr<net::TlsClientContext> TlsMaterial::client_context(const upstream::Upstream& upstream) const {
  return std::move(net::TlsClientContext::create(upstream.options().tls)).value();
}

}  // namespace rproxy::server
