#include "server/on_demand_decisions.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "net/from_thread.h"
#include "net/sleep.h"

namespace rproxy::server {
namespace {

constexpr Duration kExpireEvery{250};
// Names that have a certificate are asked about again, one after the other.
constexpr std::chrono::hours kRecheckEvery{24};
constexpr Duration kBetweenChecks{1'000};
constexpr Duration kAskMax{5'000};
constexpr std::chrono::minutes kRefusedFor{1};

}  // namespace

void OnDemandDecisions::leave() {
  if (generation_ != nullptr && generation_->tls().on_demand() != nullptr) names().close();
}

void OnDemandDecisions::adopt(const std::shared_ptr<const Generation>& generation) {
  serving_.cancel();
  expiring_.cancel();
  rechecking_.cancel();
  deciding_.cancel_all();
  fetcher_.reset();
  generation_ = generation;
  if (generation_->tls().on_demand() == nullptr) return;
  resolver_ = std::make_unique<net::Resolver>(loop_, generation_->config().resolver);
  names().ask_again();
  serving_ = net::Child<void>(serve());
  expiring_ = net::Child<void>(expire());
  rechecking_ = net::Child<void>(recheck());
}

net::Task<void> OnDemandDecisions::serve() {
  for (;;) {
    net::FromThread<bool> asked(loop_);
    names().tell_of_next(asked.teller());
    (void)co_await asked.told();
    for (const std::string& name : names().take_asked()) deciding_.spawn(decide(name));
  }
}

net::Task<void> OnDemandDecisions::expire() {
  for (;;) {
    co_await net::Sleep(loop_, kExpireEvery);
    names().expire(loop_.now());
  }
}

// Who is a customer no more has no certificate made anew.
net::Task<void> OnDemandDecisions::recheck() {
  while (!names().options().ask.empty()) {
    for (const std::string& name : names().names()) {
      const auto allowed = co_await is_allowed(name);
      if (allowed && !*allowed) {
        log::info("acme: {} is let go: {} does not allow it any more", name, names().options().ask);
        names().drop(name);
        maker_.keep_names();
      }
      co_await net::Sleep(loop_, kBetweenChecks);
    }
    co_await net::Sleep(loop_, std::chrono::duration_cast<Duration>(kRecheckEvery));
  }
}

net::Task<void> OnDemandDecisions::decide(std::string name) {
  const auto allowed = co_await is_allowed(name);
  if (!allowed.value_or(false)) {
    log::info("acme: no certificate for {}: {} does not allow it", name, names().options().ask);
    co_return names().settle_refused(name);
  }
  if (!names().add(name, loop_.now())) {
    log::warn("acme: no certificate for {}: as many as may be are had on demand, or tried within the hour", name);
    co_return names().settle_refused(name);
  }
  maker_.keep_names();
  const acme::Managed* const managed = maker_.managed(name);
  if (managed == nullptr) co_return give_up(name, kRefusedFor);
  // Another instance may have it already.
  if (managed->key != nullptr) co_return maker_.show(name, managed->key);
  const acme::WallTime first = std::max(managed->progress.retry_at.value_or(acme::WallTime{}), maker_.paused_until());
  if (first > acme::now()) {
    log::info("acme: no certificate for {}: nothing is tried before {}", name, acme::to_text(first));
    co_return give_up(name, std::chrono::duration_cast<Duration>(first - acme::now()));
  }
  log::info("acme: {} is asked for", name);
}

// So that names that somebody makes up don't pile up; it may be asked for again.
void OnDemandDecisions::give_up(const std::string& name, Duration refused_for) {
  names().settle_refused(name, refused_for);
  names().drop(name);
  maker_.keep_names();
}

void OnDemandDecisions::on_failed(const std::string& name) {
  if (generation_ == nullptr || generation_->tls().on_demand() == nullptr) return;
  const acme::Managed* const managed = maker_.managed(name);
  if (managed == nullptr || !managed->is_on_demand) return names().settle_refused(name);
  if (managed->key != nullptr && managed->key->leaf().not_after() > acme::now()) return;
  const auto retry_at = managed->progress.retry_at.value_or(acme::now());
  give_up(name, std::max<Duration>(std::chrono::duration_cast<Duration>(retry_at - acme::now()), kRefusedFor));
}

net::Task<std::optional<bool>> OnDemandDecisions::is_allowed(std::string name) {
  const acme::OnDemandOptions& options = names().options();
  if (options.ask.empty()) co_return true;
  if (fetcher_ == nullptr) {
    upstream::Fetcher::Options fetching;
    fetching.timeout = std::min(options.wait, kAskMax);
    auto made = upstream::Fetcher::create(loop_, *resolver_, std::move(fetching));
    if (!made) {
      log::error("acme: {}", describe(made.error()));
      co_return std::nullopt;
    }
    fetcher_ = std::move(*made);
  }
  const char* const separator = options.ask.find('?') == std::string::npos ? "?" : "&";
  auto answer = co_await fetcher_->fetch(upstream::FetchCall("GET", options.ask + separator + "domain=" + name));
  if (!answer) {
    log::warn("acme: {} can't be asked about {}: {}", options.ask, name, describe(answer.error()));
    co_return std::nullopt;
  }
  co_return answer->status == 200;
}

}  // namespace rproxy::server
