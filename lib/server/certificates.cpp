#include "server/certificates.h"

#include <utility>

#include "base/log.h"
#include "net/sleep.h"

namespace rproxy::server {
namespace {

constexpr Duration kLookAgain{2'000};

}  // namespace

void Certificates::adopt(const std::shared_ptr<const Generation>& generation) {
  // Whoever waits at what is no more is told.
  if (generation_ != nullptr && generation_->tls().on_demand() != generation->tls().on_demand()) on_demand_.leave();
  generation_ = generation;
  // What has come while it was made.
  if (auto shown = generation_->tls().show_again(); !shown) log::error("acme: {}", describe(shown.error()));
  watching_ = net::Child<void>(watch_files());
  certify();
  on_demand_.adopt(generation_);
}

// By looking: not every file system tells of changes, and links may come to lead elsewhere.
net::Task<void> Certificates::watch_files() {
  for (;;) {
    co_await net::Sleep(loop_, kLookAgain);
    generation_->tls().reread_files();
  }
}

void Certificates::certify() {
  const TlsMaterial& tls = generation_->tls();
  const config::Config& config = generation_->config();
  if (!config.acme.enabled) {
    certifier_.reset();
    return;
  }
  if (certifier_ == nullptr || !certifier_->goes_by(config.acme, config.resolver)) {
    certifier_ = std::make_unique<acme::Certifier>(
        loop_, config.acme, config.resolver,
        acme::Certifier::Parts{tls.issued()->proofs(), tls.issued()->challenges(),
                               [this](const std::string& name, const acme::Certifier::Key& key) { show(name, key); },
                               [this](const std::string& name) { on_demand_.on_failed(name); }});
  }
  keep_names();
}

void Certificates::keep_names() {
  certifier_->keep(generation_->tls().names_to_certify(), generation_->tls().names_on_demand());
}

const acme::Managed* Certificates::managed(const std::string& name) const {
  const auto found = certifier_->managed().find(name);
  return found != certifier_->managed().end() ? &found->second : nullptr;
}

std::vector<admin::CertificateState> Certificates::list() const {
  std::vector<admin::CertificateState> all;
  const auto add = [&all](const x509::Certificate& leaf, std::string source) -> admin::CertificateState& {
    admin::CertificateState& state = all.emplace_back();
    state.names = leaf.dns_names();
    for (const IpAddress& address : leaf.ip_addresses()) state.names.push_back(address.to_string());
    state.source = std::move(source);
    state.not_before = leaf.not_before();
    state.not_after = leaf.not_after();
    return state;
  };
  for (const auto& [file, leaf] : generation_->tls().from_files()) add(leaf, file);
  if (certifier_ == nullptr) return all;
  for (const auto& [name, managed] : certifier_->managed()) {
    auto& state = managed.key != nullptr ? add(managed.key->leaf(), "acme") : all.emplace_back();
    state.names = {name};
    state.source = "acme";
    state.renew_at = managed.progress.renew_at;
    state.retry_at = managed.progress.retry_at;
    state.failures = managed.progress.failures;
    state.last_error = managed.progress.last_error;
    state.is_under_way = managed.is_under_way;
  }
  return all;
}

void Certificates::show(const std::string& name, const acme::Certifier::Key& key) {
  if (auto shown = generation_->tls().show_issued(name, key); !shown)
    log::error("acme: {}: {}", name, describe(shown.error()));
  if (const auto& on_demand = generation_->tls().on_demand()) on_demand->settle_shown(name);
}

}  // namespace rproxy::server
