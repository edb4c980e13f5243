// A dry run: what would come of asking for certificates, with nothing kept of it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "acme/session.h"

namespace rproxy::acme {

class Trial {
 public:
  // `loop` outlives it. Errors: kFile, kConfig (of the storage, of ca_file).
  static Result<std::unique_ptr<Trial>> open(net::Loop& loop, SessionSettings settings);
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;

  // On what it is tried.
  struct Ground {
    Ground() = default;
    std::string directory;  // of Let's Encrypt the staging one, which makes certificates that nobody trusts
    bool is_staging = false;
    std::string account;        // the store's; empty: one is made for the trial
    bool can_try_names = true;  // false: an account would be made by an external one, which may be good for once
  };
  net::Task<Outcome<Ground>> begin();
  // All names are proven; at a staging directory a certificate is made as well, and thrown away.
  net::Task<Outcome<void>> attempt(std::vector<std::string> names);
  // The account that was made for the trial goes.
  net::Task<void> end();

 private:
  Trial(net::Loop& loop, SessionSettings settings);
  Result<void> find_account();
  net::Task<Outcome<void>> enter();

  net::Loop& loop_;
  SessionSettings settings_;
  net::Resolver resolver_;
  std::unique_ptr<upstream::Fetcher> fetcher_;
  std::optional<jose::SigningKey> key_;
  std::unique_ptr<Client> client_;
  Ground ground_;
  bool is_signed_up_ = false;  // for the trial alone
};

}  // namespace rproxy::acme
