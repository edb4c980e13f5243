#include "server/names_to_certify.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/address.h"
#include "x509/certificate.h"

namespace rproxy::server {
namespace {

bool is_covered(const std::string& host, const net::TlsIdentities::List& have) {
  return std::ranges::any_of(have, [&](const auto& identity) {
    const x509::Certificate& leaf = identity->key().leaf();
    return leaf.covers(host) || std::ranges::find(leaf.dns_names(), host) != leaf.dns_names().end();
  });
}

}  // namespace

std::vector<std::string> names_to_certify(const config::Config& config, const net::TlsIdentities::List& have) {
  const acme::Options& acme = config.acme;
  if (!acme.enabled || std::ranges::none_of(config.listeners, &config::Listener::has_acme)) return {};
  const bool by_dns = std::ranges::find(acme.challenges, acme::ChallengeType::kDns01) != acme.challenges.end();
  std::vector<std::string> names = acme.names;
  for (const config::Route& route : config.routes) {
    const std::string& host = route.rule.match.host;
    const bool is_wildcard = host.starts_with("*.");
    const std::string name = x509::normal_dns_name(host, is_wildcard);
    const bool is_public = name.find('.', is_wildcard ? 2 : 0) != std::string::npos && !IpAddress::parse(host);
    if (is_public && (!is_wildcard || by_dns) && !is_covered(name, have)) names.push_back(name);
  }
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<std::vector<std::string>> names_to_certify(const config::Config& config) {
  net::TlsIdentities::List have;
  for (const auto& listener : config.listeners) {
    if (!listener.has_acme || !listener.tls) continue;
    for (const net::CertificateFiles& files : listener.tls->certificates) {
      auto key = x509::CertifiedKey::load(files.cert, files.key);
      if (!key) return fail(std::move(key.error()));
      auto identity = net::TlsIdentity::create(std::make_shared<const x509::CertifiedKey>(std::move(*key)));
      if (!identity) return fail(std::move(identity.error()));
      have.push_back(std::move(*identity));
    }
  }
  return names_to_certify(config, have);
}

}  // namespace rproxy::server
