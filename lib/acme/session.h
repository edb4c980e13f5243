// ACME for a command: it has one thing done after the other and waits for each, by the account, the store and the locks that the proxy goes by.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "acme/client.h"
#include "acme/issue.h"
#include "acme/options.h"
#include "acme/solvers.h"
#include "acme/store.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/task.h"
#include "upstream/fetcher.h"

namespace rproxy::acme {

struct SessionSettings {
  Options acme;
  net::ResolverOptions resolver;
  ProofPlaces places;
  Duration lock_wait{60'000};  // while another instance is at the same certificate
  // A certificate that is renewed keeps the kind of its key, and its profile; where these were not chosen.
  bool keeps_key_type = false;
  bool keeps_profile = false;
  // Told of each step, for people.
  std::function<void(const std::string&)> on_step = [](const std::string&) {};
  // Before names are proven for the first time: opens what is to answer.
  std::function<Result<void>()> before_proof = [] { return Result<void>(); };
};

// A certificate, and what has become of it.
struct Had {
  Had() = default;

  enum class How : std::uint8_t { kIssued, kRenewed, kNotDue };
  How how = How::kNotDue;
  std::shared_ptr<const x509::CertifiedKey> key;
  Progress progress;
};

class Session {
 public:
  // `loop` outlives it. Errors: kFile, kConfig (of the storage, or of ca_file).
  static Result<std::unique_ptr<Session>> open(net::Loop& loop, SessionSettings settings);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  const Store& store() const { return store_; }
  const Options& options() const { return settings_.acme; }

  // One certificate for all names, kept as the first one's. One that is there for the same names and not due is left, unless forced.
  net::Task<Outcome<Had>> issue(std::vector<std::string> names, bool is_forced);
  // The one that is kept as `name`, for the names it has, where it is due or that is forced.
  net::Task<Outcome<Had>> renew(std::string name, bool is_forced);
  // RFC 8555 7.6, in the name of the account, or by the certificate's key where one is given.
  net::Task<Outcome<void>> revoke(x509::Certificate certificate, int reason, std::optional<jose::SigningKey> key);

  struct AccountView {
    AccountView() = default;
    std::string url;
    AccountState state;
    std::string terms_of_service;  // a URL, or empty
  };
  // An account is made where there is none, unless one has to be there.
  net::Task<Outcome<AccountView>> account(bool must_exist);
  net::Task<Outcome<void>> set_contacts(std::vector<std::string> contacts);
  net::Task<Outcome<void>> roll_over(x509::KeyType type);
  // It can't be had again; what is kept of it goes.
  net::Task<Outcome<void>> deactivate();

 private:
  Session(net::Loop& loop, SessionSettings settings, Store store);

  net::Task<Outcome<void>> open_client();
  net::Task<Outcome<void>> sign_up_again();
  Result<void> expect_account() const;
  net::Task<Outcome<Fd>> lock(std::string name);
  net::Task<Outcome<Had>> make(Wanted wanted, Had before);
  net::Task<Outcome<Issued>> order(Wanted wanted, const Had& before);
  net::Task<Outcome<Issued>> order_once(Wanted wanted);
  Wanted wanted(std::vector<std::string> names) const;
  Wanted wanted_again(const std::string& name, const Had& had) const;
  net::Task<void> ask_when(const std::string& name, Had& had);
  Outcome<Had> find(const std::string& name) const;
  void keep(const std::string& name, const Progress& progress);
  double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  net::Loop& loop_;
  const SessionSettings settings_;
  const Store store_;
  net::Resolver resolver_;
  std::mt19937_64 random_{std::random_device{}()};
  std::unique_ptr<upstream::Fetcher> fetcher_;
  std::optional<jose::SigningKey> account_key_;
  std::unique_ptr<Client> client_;  // null: not open
  bool is_unreachable_ = false;     // it was asked in vain when to renew
};

// The names it is for, hosts first; `first` in front, if it is one of them.
std::vector<std::string> names_of(const x509::Certificate& certificate, const std::string& first = {});
// Whether it is for these names and no others.
bool is_for(const x509::Certificate& certificate, const std::vector<std::string>& names);

}  // namespace rproxy::acme
