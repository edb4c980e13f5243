#include "acme/trial.h"

#include <fmt/format.h>

#include <utility>

#include "acme/account.h"
#include "acme/failed.h"

namespace rproxy::acme {

Trial::Trial(net::Loop& loop, SessionSettings settings)
    : loop_(loop), settings_(std::move(settings)), resolver_(loop, settings_.resolver) {
  ground_.is_staging = settings_.acme.directory == kLetsEncrypt || settings_.acme.directory == kLetsEncryptStaging;
  ground_.directory = ground_.is_staging ? std::string(kLetsEncryptStaging) : settings_.acme.directory;
}

Result<std::unique_ptr<Trial>> Trial::open(net::Loop& loop, SessionSettings settings) {
  if (auto writable = Store::check_writable(settings.acme.storage); !writable) return fail(std::move(writable.error()));
  std::unique_ptr<Trial> trial(new Trial(loop, std::move(settings)));
  upstream::Fetcher::Options fetching;
  fetching.ca_file = trial->settings_.acme.ca_file;
  auto fetcher = upstream::Fetcher::create(loop, trial->resolver_, std::move(fetching));
  if (!fetcher) return fail(std::move(fetcher.error()));
  trial->fetcher_ = std::move(*fetcher);
  return trial;
}

// The store's, if there is one; else a key of its own.
Result<void> Trial::find_account() {
  x509::KeyPtr key;
  if (Store::has(settings_.acme.storage, ground_.directory)) {
    const auto store = Store::open(settings_.acme.storage, ground_.directory);
    if (!store) return fail(store.error());
    auto known = store->account();
    if (!known) return fail(std::move(known.error()));
    if (*known && !(*known)->url.empty()) {
      key = std::move((*known)->key);
      ground_.account = (*known)->url;
    }
  }
  if (key == nullptr) {
    auto made = x509::generate_key(x509::KeyType::kEcP256);
    if (!made) return fail(std::move(made.error()));
    key = std::move(*made);
  }
  auto signing = jose::SigningKey::create(std::move(key));
  if (!signing) return fail(std::move(signing.error()));
  key_.emplace(std::move(*signing));
  return {};
}

net::Task<Outcome<Trial::Ground>> Trial::begin() {
  if (auto found = find_account(); !found) co_return failed(std::move(found.error()));
  client_ = std::make_unique<Client>(*fetcher_, *key_, ground_.directory);
  if (auto opened = co_await client_->open(); !opened) co_return failed(std::move(opened.error()));
  if (auto entered = co_await enter(); !entered) co_return failed(std::move(entered.error()));
  co_return ground_;
}

net::Task<Outcome<void>> Trial::enter() {
  if (!ground_.account.empty()) {
    client_->use_account(ground_.account);
    auto said = co_await client_->account();
    if (!said) co_return failed(std::move(said.error()));
    auto state = parse_account(*said);
    if (!state) co_return failed(std::move(state.error()));
    if (state->status != "valid") co_return bad_answer(fmt::format("the account is {}", state->status));
    co_return Outcome<void>();
  }
  if (client_->directory().needs_external_account) {
    if (!settings_.acme.external_account) co_return failed(needs_external_account());
    ground_.can_try_names = false;
    co_return Outcome<void>();
  }
  auto url = co_await client_->sign_up(contacts_of(settings_.acme.email), std::nullopt);
  if (!url) co_return failed(std::move(url.error()));
  is_signed_up_ = true;
  co_return Outcome<void>();
}

net::Task<Outcome<void>> Trial::attempt(std::vector<std::string> names) {
  if (auto ready = settings_.before_proof(); !ready) co_return failed(std::move(ready.error()));
  Wanted wanted;
  wanted.names = std::move(names);
  wanted.key_type = settings_.acme.key_type;
  wanted.profile = settings_.acme.profile;
  wanted.on_step = settings_.on_step;
  const Solvers solvers = make_solvers(loop_, settings_.acme, settings_.places);
  if (ground_.is_staging) {
    auto issued = co_await issue(*client_, solvers, std::move(wanted), loop_);
    if (!issued) co_return failed(std::move(issued.error()));
    co_return Outcome<void>();
  }
  auto proven = co_await prove_names(*client_, solvers, std::move(wanted), loop_);
  if (!proven) co_return failed(std::move(proven.error()));
  co_return Outcome<void>();
}

net::Task<void> Trial::end() {
  if (!std::exchange(is_signed_up_, false)) co_return;
  if (auto done = co_await client_->deactivate(); !done)
    settings_.on_step("the trial's account stays: " + done.error().text());
}

}  // namespace rproxy::acme
