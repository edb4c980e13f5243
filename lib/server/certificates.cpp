#include "server/certificates.h"

#include <chrono>
#include <utility>

#include "base/log.h"
#include "net/from_thread.h"
#include "net/sleep.h"

namespace rproxy::server {
namespace {

constexpr Duration kLookAgain{2'000};
constexpr Duration kExpireEvery{250};

}  // namespace

void Certificates::adopt(const std::shared_ptr<const Generation>& generation) {
  generation_ = generation;
  // What has come while it was made.
  if (auto shown = generation_->tls().show_again(); !shown) log::error("acme: {}", describe(shown.error()));
  watching_ = net::Child<void>(watch_files());
  certify();
  serving_.cancel();
  expiring_.cancel();
  fetcher_.reset();
  if (generation_->tls().on_demand() == nullptr) return;
  resolver_ = std::make_unique<net::Resolver>(loop_, generation_->config().resolver);
  serving_ = net::Child<void>(serve_on_demand());
  expiring_ = net::Child<void>(expire_waiters());
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
                               [this](const std::string& name) { on_failed(name); }});
  }
  certifier_->keep(tls.names_to_certify());
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
  if (const auto& on_demand = generation_->tls().on_demand()) on_demand->settle(name, true);
}

net::Task<void> Certificates::serve_on_demand() {
  for (;;) {
    net::FromThread<bool> asked(loop_);
    generation_->tls().on_demand()->tell_of_next(asked.teller());
    (void)co_await asked.told();
    for (const std::string& name : generation_->tls().on_demand()->take_asked()) co_await decide(name);
  }
}

net::Task<void> Certificates::expire_waiters() {
  for (;;) {
    co_await net::Sleep(loop_, kExpireEvery);
    generation_->tls().on_demand()->expire(loop_.now());
  }
}

net::Task<void> Certificates::decide(std::string name) {
  OnDemand& on_demand = *generation_->tls().on_demand();
  if (!co_await is_allowed(name)) {
    log::info("acme: no certificate for {}: {} does not allow it", name, on_demand.options().ask);
    on_demand.settle(name, false);
  } else if (!on_demand.add(name)) {
    log::warn("acme: no certificate for {}: there are {} on demand already", name, on_demand.options().names_max);
    on_demand.settle(name, false);
  } else {
    log::info("acme: {} is asked for", name);
    // Another instance may have it already.
    certifier_->keep(generation_->tls().names_to_certify());
    const auto managed = certifier_->managed().find(name);
    if (managed != certifier_->managed().end() && managed->second.key != nullptr) show(name, managed->second.key);
  }
}

net::Task<bool> Certificates::is_allowed(std::string name) {
  const acme::OnDemandOptions& options = generation_->tls().on_demand()->options();
  if (options.ask.empty()) co_return true;
  if (fetcher_ == nullptr) {
    upstream::Fetcher::Options fetching;
    fetching.timeout = options.wait;
    auto made = upstream::Fetcher::create(loop_, *resolver_, std::move(fetching));
    if (!made) {
      log::error("acme: {}", describe(made.error()));
      co_return false;
    }
    fetcher_ = std::move(*made);
  }
  const char* const separator = options.ask.find('?') == std::string::npos ? "?" : "&";
  auto answer = co_await fetcher_->fetch(upstream::FetchCall("GET", options.ask + separator + "domain=" + name));
  if (!answer) log::warn("acme: {} can't be asked about {}: {}", options.ask, name, describe(answer.error()));
  co_return answer && answer->status == 200;
}

// What was asked for and can't be had is let go, so that names that somebody makes up don't pile up; it may be asked for again.
void Certificates::on_failed(const std::string& name) {
  const auto& on_demand = generation_->tls().on_demand();
  if (on_demand == nullptr) return;
  on_demand->settle(name, false);
  if (const auto& key = certifier_->managed().at(name).key;
      key != nullptr && key->leaf().not_after() > std::chrono::system_clock::now())
    return;
  on_demand->drop(name);
  certifier_->keep(generation_->tls().names_to_certify());
}

}  // namespace rproxy::server
