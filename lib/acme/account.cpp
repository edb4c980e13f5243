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

// A changed address is no reason to be without certificates.
net::Task<void> tell_contacts(Client& client, const Store& store, const jose::SigningKey& key, const Options& options,
                              const Account& account) {
  const std::vector<std::string> contacts = contacts_of(options.email);
  if (contacts.empty() || account.contacts == contacts) co_return;
  auto told = co_await client.account(contacts);
  if (!told) {
    log::warn("acme: the account's mail address can't be changed: {}", told.error().text());
    co_return;
  }
  if (auto kept = store.keep_account(key.native(), account.url, contacts); !kept) {
    log::warn("acme: {}", describe(kept.error()));
  }
}

struct NextKey {
  jose::SigningKey key;
  bool is_left_over = false;  // of an attempt that did not come to its end
};

// Kept before the server is told: whatever happens then, the account's key is on the disk.
Result<NextKey> next_key(const Store& store, x509::KeyType type) {
  auto known = store.next_account_key();
  if (!known) return fail(std::move(known.error()));
  const bool is_left_over = *known != nullptr;
  auto made = is_left_over ? std::move(known) : x509::generate_key(type);
  if (!made) return fail(std::move(made.error()));
  if (!is_left_over) {
    if (auto kept = store.keep_next_account_key(made->get()); !kept) return fail(std::move(kept.error()));
  }
  auto key = jose::SigningKey::create(std::move(*made));
  if (!key) return fail(std::move(key.error()));
  return NextKey{std::move(*key), is_left_over};
}

// Whether the account has that key already.
net::Task<Outcome<bool>> adopt_next(upstream::Fetcher& fetcher, const Store& store, const std::string& directory,
                                    const NextKey& next) {
  if (!next.is_left_over) co_return false;
  Client client(fetcher, next.key, directory);
  if (auto opened = co_await client.open(); !opened) co_return failed(std::move(opened.error()));
  auto url = co_await client.sign_up({}, std::nullopt, true);
  if (!url && url.error().has_word("accountDoesNotExist")) co_return false;
  if (!url) co_return failed(std::move(url.error()));
  if (auto kept = store.keep_account(next.key.native(), *url); !kept) co_return failed(std::move(kept.error()));
  store.remove_next_account_key();
  co_return true;
}

}  // namespace

Error needs_external_account() {
  return Error(ErrorCode::kConfig, Side::kLocal, Retry::kNever, 0,
               "the ACME server wants an external account: set external_account");
}

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
    co_await tell_contacts(*client, store, *key, options, *account);
    co_return client;
  }
  if (client->directory().needs_external_account && !options.external_account) {
    co_return failed(needs_external_account());
  }
  const std::vector<std::string> contacts = contacts_of(options.email);
  auto url = co_await client->sign_up(contacts, options.external_account);
  if (!url) co_return failed(std::move(url.error()));
  log::info("acme: signed up at {}: {}", options.directory, *url);
  if (auto done = store.keep_account(key->native(), *url, contacts); !done) co_return failed(std::move(done.error()));
  co_return client;
}

net::Task<Outcome<void>> roll_over(net::Loop& loop, upstream::Fetcher& fetcher, const Store& store, Options options,
                                   x509::KeyType type) {
  auto next = next_key(store, type);
  if (!next) co_return failed(std::move(next.error()));
  auto adopted = co_await adopt_next(fetcher, store, options.directory, *next);
  if (!adopted) co_return failed(std::move(adopted.error()));
  if (*adopted) co_return Outcome<void>();
  std::optional<jose::SigningKey> key;
  auto client = co_await open_account(loop, fetcher, store, options, key);
  if (!client) co_return failed(std::move(client.error()));
  auto account = store.account();
  if (!account) co_return failed(std::move(account.error()));
  if (auto changed = co_await (*client)->change_key(next->key); !changed) co_return changed;
  auto kept = store.keep_account(next->key.native(), (*account)->url, (*account)->contacts);
  if (!kept) co_return failed(std::move(kept.error()));
  store.remove_next_account_key();
  co_return Outcome<void>();
}

}  // namespace rproxy::acme
