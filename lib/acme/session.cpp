#include "acme/session.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "acme/account.h"
#include "acme/failed.h"
#include "net/sleep.h"

namespace rproxy::acme {
namespace {

constexpr Duration kWatchEvery{500};

bool is_due(const Had& had, const Options& options) {
  return due_at(&had.key->leaf(), had.progress, options, now()) <= now();
}

// What has failed is not tried again at once by every run of a cron job.
std::optional<Failure> held_back(const Had& had) {
  const Progress& progress = had.progress;
  if (progress.failures == 0 || !is_ahead(progress.retry_at, now())) return std::nullopt;
  Failure failure(Error(ErrorCode::kLimitReached, Side::kLocal, Retry::kNever, 0,
                        fmt::format("not tried again yet, after {} in a row that failed, the last: {}",
                                    progress.failures, progress.last_error)));
  failure.retry_after = std::chrono::ceil<std::chrono::seconds>(*progress.retry_at - now());
  return failure;
}

}  // namespace

std::vector<std::string> names_of(const x509::Certificate& certificate, const std::string& first) {
  std::vector<std::string> names = certificate.dns_names();
  for (const IpAddress& address : certificate.ip_addresses()) names.push_back(address.to_string());
  if (const auto at = std::ranges::find(names, first); at != names.end()) std::rotate(names.begin(), at, at + 1);
  return names;
}

bool is_for(const x509::Certificate& certificate, const std::vector<std::string>& names) {
  std::vector<std::string> wanted = names;
  std::vector<std::string> have = names_of(certificate);
  std::ranges::sort(wanted);
  std::ranges::sort(have);
  return wanted == have;
}

Session::Session(net::Loop& loop, SessionSettings settings, Store store)
    : loop_(loop), settings_(std::move(settings)), store_(std::move(store)), resolver_(loop, settings_.resolver) {}

Result<std::unique_ptr<Session>> Session::open(net::Loop& loop, SessionSettings settings) {
  auto store = Store::open(settings.acme.storage, settings.acme.directory);
  if (!store) return fail(std::move(store.error()));
  std::unique_ptr<Session> session(new Session(loop, std::move(settings), std::move(*store)));
  upstream::Fetcher::Options fetching;
  fetching.ca_file = session->options().ca_file;
  auto fetcher = upstream::Fetcher::create(loop, session->resolver_, std::move(fetching));
  if (!fetcher) return fail(std::move(fetcher.error()));
  session->fetcher_ = std::move(*fetcher);
  return session;
}

net::Task<Outcome<void>> Session::open_client() {
  if (client_ != nullptr) co_return Outcome<void>();
  const auto known = store_.account();
  const bool is_new = known && (!*known || (*known)->url.empty());
  auto opened = co_await open_account(loop_, *fetcher_, store_, options(), account_key_);
  if (!opened) co_return failed(std::move(opened.error()));
  client_ = std::move(*opened);
  if (!is_new) {
    const auto kept = store_.account();
    const bool is_told = !kept || options().email.empty() || (*kept)->contacts == contacts_of(options().email);
    if (!is_told) settings_.on_step("the account's mail address could not be changed");
    co_return Outcome<void>();
  }
  const std::string& terms = client_->directory().terms_of_service;
  settings_.on_step(fmt::format("signed up at {}{}", options().directory,
                                terms.empty() ? "" : ", whose terms are agreed to: " + terms));
  co_return Outcome<void>();
}

net::Task<Outcome<Fd>> Session::lock(std::string name) {
  for (Duration waited{0};; waited += kWatchEvery) {
    auto lock = store_.lock(name);
    if (!lock) co_return failed(std::move(lock.error()));
    if (*lock) co_return std::move(*lock);
    if (waited == Duration{0}) settings_.on_step("another instance is at it: waiting");
    if (waited >= settings_.lock_wait) break;
    co_await net::Sleep(loop_, kWatchEvery);
  }
  co_return failed(
      Error(ErrorCode::kLimitReached, Side::kLocal, Retry::kNever, 0,
            fmt::format("another instance has been at it for {}", rproxy::to_string(settings_.lock_wait))));
}

// What is kept; without a key where there is none.
Outcome<Had> Session::find(const std::string& name) const {
  auto key = store_.certificate(name);
  if (!key) return failed(std::move(key.error()));
  Had had;
  had.key = std::move(*key);
  had.progress = store_.progress(name);
  // Of the one before it.
  if (had.key != nullptr && had.progress.renew_at && *had.progress.renew_at < had.key->leaf().not_before()) {
    had.progress.renew_at.reset();
  }
  return had;
}

net::Task<Outcome<Had>> Session::issue(std::vector<std::string> names, bool is_forced) {
  const std::string name = names.front();
  auto lock = co_await this->lock(name);
  if (!lock) co_return failed(std::move(lock.error()));
  auto before = find(name);
  // What is broken is made anew.
  if (!before) before = Had();
  const bool is_same = before->key != nullptr && is_for(before->key->leaf(), names);
  if (is_same && !is_forced && !is_due(*before, options())) co_return before;
  co_return co_await make(wanted(std::move(names)), std::move(*before));
}

net::Task<Outcome<Had>> Session::renew(std::string name, bool is_forced) {
  for (std::optional<Fd> held;;) {
    auto had = find(name);
    if (had && had->key == nullptr) {
      co_return failed(
          Error(ErrorCode::kConfig, Side::kLocal, Retry::kNever, 0, "there is no certificate for " + name));
    }
    if (!had) co_return had;
    if (!is_forced && !is_ahead(had->progress.asked_at, now())) co_await ask_when(name, *had);
    if (!is_forced) {
      if (auto held_by = held_back(*had)) co_return failed(std::move(*held_by));
      if (!is_due(*had, options())) co_return had;
    }
    if (held) {
      auto again = wanted_again(name, *had);
      co_return co_await make(std::move(again), std::move(*had));
    }
    // Whoever had the lock may have made what is wanted here: looked at once more.
    auto lock = co_await this->lock(name);
    if (!lock) co_return failed(std::move(lock.error()));
    held = std::move(*lock);
  }
}

Wanted Session::wanted(std::vector<std::string> names) const {
  Wanted wanted;
  wanted.names = std::move(names);
  wanted.key_type = options().key_type;
  wanted.profile = options().profile;
  wanted.on_step = settings_.on_step;
  return wanted;
}

Wanted Session::wanted_again(const std::string& name, const Had& had) const {
  Wanted again = wanted(names_of(had.key->leaf(), name));
  if (settings_.keeps_key_type) again.key_type = x509::key_type_of(had.key->key()).value_or(again.key_type);
  if (settings_.keeps_profile) again.profile = had.progress.profile;
  return again;
}

net::Task<Outcome<Had>> Session::make(Wanted wanted, Had before) {
  const std::string name = wanted.names.front();
  auto issued = co_await order(wanted, before);
  if (!issued) {
    note_failure(before.progress, issued.error(), options(), now(), chance());
    if (before.key != nullptr) keep(name, before.progress);
    co_return failed(std::move(issued.error()));
  }
  if (auto kept = store_.keep_certificate(name, issued->key->key(), issued->chain_pem); !kept) {
    co_return failed(std::move(kept.error()));
  }
  const x509::Certificate* const old = before.key != nullptr ? &before.key->leaf() : nullptr;
  Had had;
  had.how = old != nullptr ? Had::How::kRenewed : Had::How::kIssued;
  had.key = issued->key;
  had.progress = progress_of_issued(had.key->leaf(), old, before.progress, options(), now(), chance());
  had.progress.profile = wanted.profile;
  keep(name, had.progress);
  co_await ask_when(name, had);
  co_return had;
}

net::Task<Outcome<Issued>> Session::order(Wanted wanted, const Had& before) {
  if (auto opened = co_await open_client(); !opened) co_return failed(std::move(opened.error()));
  if (before.key != nullptr && before.progress.failures == 0 && !client_->directory().renewal_info.empty()) {
    wanted.replaces = certificate_id(before.key->leaf());
  }
  auto issued = co_await order_once(wanted);
  if (issued) co_return issued;
  // A server takes it once (RFC 9773 5).
  if (!wanted.replaces.empty() && issued.error().has_word("alreadyReplaced")) {
    wanted.replaces.clear();
    issued = co_await order_once(wanted);
  }
  if (!issued && issued.error().has_word("accountDoesNotExist")) {
    if (auto again = co_await sign_up_again(); !again) co_return failed(std::move(again.error()));
    issued = co_await order_once(wanted);
  }
  co_return issued;
}

net::Task<Outcome<Issued>> Session::order_once(Wanted wanted) {
  if (auto ready = settings_.before_proof(); !ready) co_return failed(std::move(ready.error()));
  const Solvers solvers = make_solvers(loop_, options(), settings_.places);
  co_return co_await acme::issue(*client_, solvers, std::move(wanted), loop_);
}

// When the server wishes it to be renewed (RFC 9773). Without an answer its lifetime says so.
net::Task<void> Session::ask_when(const std::string& name, Had& had) {
  const std::string id = certificate_id(had.key->leaf());
  if (id.empty() || is_unreachable_ || !expect_account()) co_return;
  auto opened = co_await open_client();
  is_unreachable_ = !opened;
  if (!opened || client_->directory().renewal_info.empty()) co_return;
  auto suggested = co_await client_->renewal_info(id);
  note_suggestion(had.progress, suggested, now(), chance());
  keep(name, had.progress);
}

void Session::keep(const std::string& name, const Progress& progress) {
  if (auto kept = store_.keep_progress(name, progress); !kept) settings_.on_step(describe(kept.error()));
}

}  // namespace rproxy::acme
