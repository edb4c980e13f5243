#include "server/ocsp_staples.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "base/log.h"
#include "net/sleep.h"
#include "x509/facts.h"
#include "x509/ocsp.h"

namespace rproxy::server {
namespace {

// Certificates come to be shown at any time.
constexpr Duration kStapleEvery{1'000};
constexpr std::chrono::minutes kRetryFirst{1};
constexpr std::chrono::minutes kRetryMax{60};
// How long what says nothing of its end is good for, and how soon one is asked again at the earliest.
constexpr std::chrono::hours kUsualLife{4};
constexpr std::chrono::minutes kLeastPause{1};

std::string key_of(const net::TlsIdentity& identity) { return x509::fingerprint(identity.key().leaf(), EVP_sha256()); }

upstream::Fetcher::Options fetching() {
  upstream::Fetcher::Options options;
  options.timeout = Duration{10'000};
  options.content_max = std::size_t{64} << 10U;
  return options;
}

}  // namespace

void OcspStaples::adopt(const std::shared_ptr<const Generation>& generation) {
  keeping_up_.cancel();
  fetcher_.reset();
  generation_ = generation;
  resolver_ = std::make_unique<net::Resolver>(loop_, generation_->config().resolver);
  keeping_up_ = net::Child<void>(keep_up());
}

net::Task<void> OcspStaples::keep_up() {
  for (;;) {
    co_await look();
    co_await net::Sleep(loop_, kStapleEvery);
  }
}

net::Task<void> OcspStaples::look() {
  const auto shown = generation_->tls().to_staple();
  for (auto& [key, known] : known_) known.is_shown = false;
  for (const Identity& identity : shown) {
    Known& known = known_[key_of(*identity)];
    known.is_shown = true;
    if (known.staple != nullptr && identity->stapled() != known.staple) identity->staple(known.staple);
  }
  for (const Identity& identity : shown) {
    Known& known = known_[key_of(*identity)];
    if (known.ask_at <= loop_.now()) co_await ask(identity, known);
  }
  std::erase_if(known_, [](const auto& each) { return !each.second.is_shown; });
}

net::Task<void> OcspStaples::ask(const Identity& identity, Known& known) {
  auto der = co_await fetch(identity);
  auto taken = der ? take(identity, known, std::move(*der)) : Result<void>(fail(std::move(der.error())));
  if (!taken) note_failure(identity, known, taken.error());
}

net::Task<Result<std::string>> OcspStaples::fetch(const Identity& identity) {
  if (fetcher_ == nullptr) {
    auto made = upstream::Fetcher::create(loop_, *resolver_, fetching());
    if (!made) co_return fail(std::move(made.error()));
    fetcher_ = std::move(*made);
  }
  const auto& chain = identity->key().chain();
  upstream::FetchCall call("POST", x509::ocsp_responder(chain[0]));
  call.fields.emplace_back("Content-Type", "application/ocsp-request");
  call.content = x509::ocsp_request(chain[0], chain[1]);
  auto answer = co_await fetcher_->fetch(std::move(call));
  if (!answer) co_return fail(std::move(answer.error()));
  if (answer->status != 200)
    co_return fail(ErrorCode::kBadResponse, Side::kUpstream, Retry::kSafe, fmt::format("status {}", answer->status));
  co_return std::move(answer->content);
}

Result<void> OcspStaples::take(const Identity& identity, Known& known, std::string der) {
  const auto& leaf = identity->key().leaf();
  const auto now = std::chrono::system_clock::now();
  auto answer = x509::verify_ocsp(der, leaf, identity->key().chain()[1], now);
  if (!answer) return fail(std::move(answer.error()));
  if (answer->status == "unknown")
    return fail(ErrorCode::kBadResponse, Side::kUpstream, Retry::kSafe, "the responder does not know it");
  // What says that it is revoked is shown as well: clients are to know.
  if (answer->status != "good") log::error("{}: its authority says that it is {}", leaf.label(), answer->status);
  const auto until = answer->next.value_or(*answer->updated + kUsualLife);
  const auto pause = std::chrono::duration_cast<Duration>(until - now) / 2;
  if (known.staple == nullptr) log::info("{}: OCSP answer of {} is shown", leaf.label(), x509::ocsp_responder(leaf));
  known.staple = std::make_shared<const net::TlsIdentity::Staple>(net::TlsIdentity::Staple{std::move(der), until});
  known.ask_at = loop_.now() + std::max<Duration>(pause, kLeastPause);
  known.failures = 0;
  identity->staple(known.staple);
  return {};
}

void OcspStaples::note_failure(const Identity& identity, Known& known, const Error& error) {
  const Duration pause = std::min<Duration>(Duration(kRetryFirst) * (1U << std::min(known.failures, 6U)), kRetryMax);
  known.ask_at = loop_.now() + pause;
  if (known.failures++ == 0)
    log::warn("{}: nothing to staple from {}: {}", identity->key().leaf().label(),
              x509::ocsp_responder(identity->key().leaf()), describe(error));
}

}  // namespace rproxy::server
