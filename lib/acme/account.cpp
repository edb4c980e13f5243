#include "acme/account.h"

#include <utility>

#include "acme/failed.h"
#include "base/log.h"
#include "net/sleep.h"
#include "x509/private_key.h"

namespace rproxy::acme {
namespace {

// The store's, or a new one with no URL yet.
Result<Account> account_in(const Store& store) {
  auto known = store.account();
  if (!known) return fail(std::move(known.error()));
  if (*known) return std::move(**known);
  auto key = x509::generate_key(x509::KeyType::kEcP256);
  if (!key) return fail(std::move(key.error()));
  // Before it is used: an account whose key is lost can't be had again.
  if (auto kept = store.keep_account(key->get(), ""); !kept) return fail(std::move(kept.error()));
  return Account{std::move(*key), {}};
}

// One instance signs up, the others go by its account.
net::Task<Result<Fd>> lock_account(net::Loop& loop, const Store& store) {
  constexpr int kTriesMax = 60;
  for (int i = 0; i < kTriesMax; ++i) {
    auto lock = store.lock("_account");  // no host's name
    if (!lock || *lock) co_return lock;
    co_await net::Sleep(loop, Duration{1'000});
  }
  co_return fail(ErrorCode::kFile, Side::kLocal, Retry::kNever,
                 "another instance has been at the account for a minute");
}

}  // namespace

std::vector<std::string> contacts_of(const std::vector<std::string>& email) {
  std::vector<std::string> contacts;
  for (const auto& each : email) contacts.push_back("mailto:" + each);
  return contacts;
}

net::Task<Outcome<std::unique_ptr<Client>>> open_account(net::Loop& loop, upstream::Fetcher& fetcher,
                                                         const Store& store, const Options& options,
                                                         std::optional<jose::SigningKey>& key) {
  auto lock = co_await lock_account(loop, store);
  if (!lock) co_return failed(std::move(lock.error()));
  auto account = account_in(store);
  if (!account) co_return failed(std::move(account.error()));
  auto signing = jose::SigningKey::create(std::move(account->key));
  if (!signing) co_return failed(std::move(signing.error()));
  key.emplace(std::move(*signing));
  auto client = std::make_unique<Client>(fetcher, *key, options.directory);
  if (auto opened = co_await client->open(); !opened) co_return failed(std::move(opened.error()));
  if (!account->url.empty()) {
    client->use_account(account->url);
    co_return client;
  }
  if (client->directory().needs_external_account && !options.external_account) {
    co_return failed(Error(ErrorCode::kConfig, Side::kLocal, Retry::kNever, 0,
                           "the ACME server wants an external account: set external_account"));
  }
  auto url = co_await client->sign_up(contacts_of(options.email), options.external_account);
  if (!url) co_return failed(std::move(url.error()));
  log::info("acme: signed up at {}: {}", options.directory, *url);
  if (auto done = store.keep_account(key->native(), *url); !done) co_return failed(std::move(done.error()));
  co_return client;
}

}  // namespace rproxy::acme
