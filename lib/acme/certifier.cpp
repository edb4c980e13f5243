#include "acme/certifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <utility>

#include "acme/account.h"
#include "acme/failed.h"
#include "acme/schedule.h"
#include "base/log.h"
#include "net/sleep.h"

namespace rproxy::acme {
namespace {

using std::chrono::seconds;

// While nothing is due the clock may be set, and another instance may be told to have a certificate made.
constexpr seconds kLookAgain{5};
// Another instance is at it: how long until it is looked at again.
constexpr seconds kOthersTurn{5};

WallTime now() { return std::chrono::system_clock::now(); }

// Without an answer, or a way to ask.
constexpr std::chrono::hours kAskLater{1};
constexpr std::chrono::minutes kServerPauseMax{5};

// It would be the same for any other name.
bool is_of_server(const Failure& failure) {
  if (failure.retry_after) return true;
  if (failure.problem) return failure.problem->word() == "rateLimited" || failure.error.retry != Retry::kNever;
  return failure.error.retry != Retry::kNever || failure.error.code == ErrorCode::kConfig;
}

Failure file_failure(Error error) { return Failure(std::move(error)); }

}  // namespace

Certifier::Certifier(net::Loop& loop, Options options, net::ResolverOptions resolver, Parts parts)
    : loop_(loop),
      options_(std::move(options)),
      resolver_options_(std::move(resolver)),
      resolver_(loop, resolver_options_),
      parts_(std::move(parts)) {}

bool Certifier::open_store() {
  if (store_) return true;
  auto store = Store::open(options_.storage, options_.directory);
  if (!store) {
    log::error("acme: {}", describe(store.error()));
    return false;
  }
  store_ = std::move(*store);
  return true;
}

void Certifier::keep(const std::vector<std::string>& names) {
  if (!open_store()) return;
  // What is under way goes on; a certificate that nobody wants any more is of no harm.
  is_dropped_ = !attended_.empty() && std::ranges::find(names, attended_) == names.end();
  std::erase_if(managed_, [&](const auto& each) {
    return each.first != attended_ && std::ranges::find(names, each.first) == names.end();
  });
  for (const std::string& name : names) {
    if (!managed_.contains(name)) add(name);
  }
  if (!attended_.empty() || managed_.empty()) return;
  start();
}

// Anew: it sleeps.
void Certifier::start() {
  running_.cancel();
  running_ = net::Child<void>(run());
}

void Certifier::add(const std::string& name) {
  Managed& managed = managed_[name];
  managed.progress = store_->progress(name);
  managed.stamp = store_->certificate_stamp(name);
  auto key = store_->certificate(name);
  if (!key) log::warn("acme: {}; another one is made", describe(key.error()));
  if (!key || *key == nullptr) return;
  managed.key = std::move(*key);
  // Of the one before it.
  if (managed.progress.renew_at && *managed.progress.renew_at < managed.key->leaf().not_before()) {
    managed.progress.renew_at.reset();
  }
  if (!managed.progress.asked_at) managed.progress.asked_at = now();
}

bool Certifier::renew_now(const std::string& name) {
  const auto found = managed_.find(name);
  if (found == managed_.end()) return false;
  found->second.progress.retry_at.reset();
  paused_until_ = {};
  found->second.progress.renew_at = now();
  if (attended_.empty()) start();
  return true;
}

WallTime Certifier::due_at(const Managed& managed, WallTime now) const {
  const x509::Certificate* const leaf = managed.key != nullptr ? &managed.key->leaf() : nullptr;
  return acme::due_at(leaf, managed.progress, options_, now);
}

// What has been due for longest, then whose time is to be asked for; else nothing, and when to look again.
std::optional<std::string> Certifier::next_due(WallTime now, WallTime& wake) const {
  wake = now + kLookAgain;
  if (is_ahead(paused_until_, now)) {
    wake = std::min(wake, paused_until_);
    return std::nullopt;
  }
  const std::string* first = nullptr;
  const std::string* asks = nullptr;
  WallTime first_due = now;
  for (const auto& [name, managed] : managed_) {
    const WallTime due = due_at(managed, now);
    if (due <= first_due && (first == nullptr || due < first_due)) {
      first = &name;
      first_due = due;
    }
    if (managed.key != nullptr && !is_ahead(managed.progress.asked_at, now)) asks = &name;
    if (due > now) wake = std::min(wake, due);
  }
  if (first == nullptr) first = asks;
  return first != nullptr ? std::optional(*first) : std::nullopt;
}

net::Task<void> Certifier::run() {
  for (;;) {
    WallTime wake;
    const auto due = next_due(now(), wake);
    if (due) {
      attended_ = *due;
      co_await attend_safely(*due);
      if (std::exchange(is_dropped_, false)) managed_.erase(attended_);
      attended_.clear();
    } else {
      look_for_others();
      const auto pause = std::chrono::duration_cast<Duration>(wake - now()) + Duration{1};
      co_await net::Sleep(loop_, std::max(pause, Duration{50}));
    }
  }
}

// Whatever happens to one, the others have their turn.
net::Task<void> Certifier::attend_safely(std::string name) {
  std::string what;
  try {
    co_await attend(name);
    co_return;
  } catch (const std::exception& error) {
    what = error.what();
  }
  managed_.at(name).is_under_way = false;
  note_failure(name, file_failure(Error(ErrorCode::kInternal, Side::kLocal, Retry::kNever, 0, what)));
}

net::Task<void> Certifier::attend(std::string name) {
  Managed& managed = managed_.at(name);
  if (due_at(managed, now()) > now()) {
    co_await ask_when(name);
    co_return;
  }
  auto lock = store_->lock(name);
  if (!lock) {
    note_failure(name, file_failure(std::move(lock.error())));
    co_return;
  }
  // Whoever has it, or had it, may have made what is wanted here.
  if (take_what_another_made(name)) co_return;
  if (!*lock) {
    managed.progress.retry_at = now() + kOthersTurn;
    co_return;
  }
  managed.is_under_way = true;
  auto made = co_await make(name);
  managed.is_under_way = false;
  if (!made) note_failure(name, made.error());
}

bool Certifier::take_what_another_made(const std::string& name) {
  auto key = store_->certificate(name);
  if (!key || *key == nullptr) return false;
  const auto& before = managed_.at(name).key;
  const bool is_newer = before == nullptr || (*key)->leaf().not_before() > before->leaf().not_before();
  if (!is_newer || (*key)->leaf().not_after() <= now()) return false;
  managed_.at(name).progress = store_->progress(name);
  take(name, std::move(*key));
  return due_at(managed_.at(name), now()) > now();
}

void Certifier::look_for_others() {
  for (auto& [name, managed] : managed_) {
    const auto stamp = store_->certificate_stamp(name);
    if (std::exchange(managed.stamp, stamp) != stamp) take_what_another_made(name);
  }
}

net::Task<Outcome<void>> Certifier::open_client() {
  if (client_ != nullptr) co_return Outcome<void>();
  if (fetcher_ == nullptr) {
    upstream::Fetcher::Options fetching;
    fetching.ca_file = options_.ca_file;
    auto fetcher = upstream::Fetcher::create(loop_, resolver_, std::move(fetching));
    if (!fetcher) co_return failed(std::move(fetcher.error()));
    fetcher_ = std::move(*fetcher);
  }
  auto opened = co_await open_account(loop_, *fetcher_, *store_, options_, account_key_);
  if (!opened) co_return failed(std::move(opened.error()));
  client_ = std::move(*opened);
  co_return Outcome<void>();
}

Solvers Certifier::solvers_for(const std::string& name) const {
  Solvers solvers = make_solvers(loop_, options_, {parts_.proofs, parts_.challenges});
  // What has failed stands back for the next.
  const auto first = managed_.at(name).progress.failures % solvers.size();
  std::rotate(solvers.begin(), solvers.begin() + static_cast<std::ptrdiff_t>(first), solvers.end());
  return solvers;
}

net::Task<Outcome<Issued>> Certifier::order(std::string name) {
  if (auto opened = co_await open_client(); !opened) co_return failed(std::move(opened.error()));
  Wanted wanted;
  wanted.names = {name};
  wanted.key_type = options_.key_type;
  wanted.profile = options_.profile;
  wanted.on_step = [name](const std::string& step) { log::debug("acme: {}: {}", name, step); };
  const Managed& managed = managed_.at(name);
  // A server takes it once (RFC 9773 5), and may have taken it for an order that came to nothing.
  if (managed.key != nullptr && managed.progress.failures == 0 && !client_->directory().renewal_info.empty()) {
    wanted.replaces = certificate_id(managed.key->leaf());
  }
  const Solvers solvers = solvers_for(name);
  auto issued = co_await issue(*client_, solvers, std::move(wanted), loop_);
  // Its directory, or whom it is trusted by, may have become another: the next attempt begins anew.
  if (!issued) {
    client_.reset();
    fetcher_.reset();
  }
  co_return issued;
}

net::Task<Outcome<void>> Certifier::make(std::string name) {
  auto issued = co_await order(name);
  if (!issued && issued.error().has_word("accountDoesNotExist")) {
    log::warn("acme: the account is unknown at {}: signing up again", options_.directory);
    if (auto kept = store_->keep_account(account_key_->native(), ""); kept) issued = co_await order(name);
  }
  if (!issued) co_return failed(std::move(issued.error()));
  if (auto kept = store_->keep_certificate(name, issued->key->key(), issued->chain_pem); !kept) {
    log::error("acme: {}: the certificate can't be kept, and is lost at the next start: {}", name,
               describe(kept.error()));
  }
  Managed& managed = managed_.at(name);
  const x509::Certificate* const before = managed.key != nullptr ? &managed.key->leaf() : nullptr;
  managed.progress = progress_of_issued(issued->key->leaf(), before, managed.progress, options_, now(), chance());
  keep_progress(name);
  take(name, issued->key);
  log::info("acme: {} has a certificate until {}", name, to_text(issued->key->leaf().not_after()));
  co_await ask_when(name);
  co_return Outcome<void>();
}

// When the server wishes the certificate to be made anew (RFC 9773).
net::Task<void> Certifier::ask_when(std::string name) {
  managed_.at(name).progress.asked_at = now() + kAskLater;
  const std::string id = certificate_id(managed_.at(name).key->leaf());
  auto opened = co_await open_client();
  if (!opened) co_return;
  Progress& progress = managed_.at(name).progress;
  progress.asked_at = now() + next_question(std::nullopt);
  if (client_->directory().renewal_info.empty() || id.empty()) co_return;
  auto suggested = co_await client_->renewal_info(id);
  note_suggestion(progress, suggested, now(), chance());
  if (suggested && !suggested->info.explanation.empty()) {
    log::info("acme: {}: why it is renewed at {}: {}", name, to_text(*progress.renew_at), suggested->info.explanation);
  }
  keep_progress(name);
}

void Certifier::take(const std::string& name, Key key) {
  managed_.at(name).key = std::move(key);
  parts_.on_issued(name, managed_.at(name).key);
}

void Certifier::note_failure(const std::string& name, const Failure& failure) {
  Progress& progress = managed_.at(name).progress;
  const auto pause = acme::note_failure(progress, failure, options_, now(), chance());
  if (is_of_server(failure)) {
    paused_until_ = now() + (failure.retry_after ? pause : std::min<seconds>(pause, kServerPauseMax));
  }
  keep_progress(name);
  log::error("acme: {}: {}; again in {} s", name, progress.last_error, pause.count());
  if (parts_.on_failed) parts_.on_failed(name);
}

void Certifier::keep_progress(const std::string& name) {
  if (auto kept = store_->keep_progress(name, managed_.at(name).progress); !kept) {
    log::warn("acme: {}: {}", name, describe(kept.error()));
  }
}

}  // namespace rproxy::acme
