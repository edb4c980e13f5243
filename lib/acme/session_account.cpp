// A session's account, and what is done in its name.
#include <fmt/format.h>

#include <utility>

#include "acme/account.h"
#include "acme/failed.h"
#include "acme/session.h"
#include "x509/issuing.h"

namespace rproxy::acme {

Result<void> Session::expect_account() const {
  auto known = store_.account();
  if (!known) return fail(std::move(known.error()));
  if (*known && !(*known)->url.empty()) return {};
  return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever,
              fmt::format("there is no account at {} in {}", options().directory, options().storage));
}

net::Task<Outcome<Session::AccountView>> Session::account(bool must_exist) {
  if (must_exist) {
    if (auto there = expect_account(); !there) co_return failed(std::move(there.error()));
  }
  if (auto opened = co_await open_client(); !opened) co_return failed(std::move(opened.error()));
  auto said = co_await client_->account();
  if (!said && !must_exist && said.error().has_word("accountDoesNotExist")) {
    if (auto again = co_await sign_up_again(); !again) co_return failed(std::move(again.error()));
    said = co_await client_->account();
  }
  if (!said) co_return failed(std::move(said.error()));
  auto state = parse_account(*said);
  if (!state) co_return failed(std::move(state.error()));
  auto kept = store_.account();
  if (!kept) co_return failed(std::move(kept.error()));
  AccountView view;
  view.url = (*kept)->url;
  view.state = std::move(*state);
  view.terms_of_service = client_->directory().terms_of_service;
  co_return view;
}

// The server has forgotten it, or it was deactivated elsewhere.
net::Task<Outcome<void>> Session::sign_up_again() {
  settings_.on_step("the account is unknown there: signing up again");
  client_.reset();
  if (auto kept = store_.keep_account(account_key_->native(), ""); !kept) co_return failed(std::move(kept.error()));
  co_return co_await open_client();
}

net::Task<Outcome<void>> Session::set_contacts(std::vector<std::string> contacts) {
  if (auto there = expect_account(); !there) co_return failed(std::move(there.error()));
  if (auto opened = co_await open_client(); !opened) co_return failed(std::move(opened.error()));
  auto said = co_await client_->account(contacts);
  if (!said) co_return failed(std::move(said.error()));
  auto known = store_.account();
  if (!known) co_return failed(std::move(known.error()));
  auto kept = store_.keep_account(account_key_->native(), (*known)->url, contacts);
  if (!kept) co_return failed(std::move(kept.error()));
  co_return Outcome<void>();
}

net::Task<Outcome<void>> Session::roll_over(x509::KeyType type) {
  if (auto there = expect_account(); !there) co_return failed(std::move(there.error()));
  client_.reset();
  co_return co_await acme::roll_over(loop_, *fetcher_, store_, options(), type);
}

net::Task<Outcome<void>> Session::deactivate() {
  if (auto there = expect_account(); !there) co_return failed(std::move(there.error()));
  if (auto opened = co_await open_client(); !opened) co_return failed(std::move(opened.error()));
  if (auto done = co_await client_->deactivate(); !done) co_return done;
  client_.reset();
  if (auto removed = store_.remove_account(); !removed) co_return failed(std::move(removed.error()));
  co_return Outcome<void>();
}

net::Task<Outcome<void>> Session::revoke(x509::Certificate certificate, int reason,
                                         std::optional<jose::SigningKey> key) {
  std::string der = x509::to_der(certificate);
  if (!key) {
    if (auto there = expect_account(); !there) co_return failed(std::move(there.error()));
    if (auto opened = co_await open_client(); !opened) co_return failed(std::move(opened.error()));
    co_return co_await client_->revoke(std::move(der), reason);
  }
  Client client(*fetcher_, *key, options().directory);
  if (auto opened = co_await client.open(); !opened) co_return failed(std::move(opened.error()));
  co_return co_await client.revoke(std::move(der), reason);
}

}  // namespace rproxy::acme
