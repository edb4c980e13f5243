// Keeps certificates: has them made, and made anew before they end, one after the other, without anybody waiting for it.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "acme/challenge_handler.h"
#include "acme/client.h"
#include "acme/issue.h"
#include "acme/options.h"
#include "acme/solvers.h"
#include "acme/store.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/task.h"
#include "upstream/fetcher.h"
#include "x509/certified_key.h"

namespace rproxy::acme {

// What is known of one name.
struct Managed {
  std::shared_ptr<const x509::CertifiedKey> key;  // null: none yet
  Progress progress;
  bool is_under_way = false;
  std::uint64_t stamp = 0;  // of the file that was looked at last
};

class Certifier {
 public:
  using Key = std::shared_ptr<const x509::CertifiedKey>;
  // Told when there is another certificate for a name, from the loop's thread.
  using OnIssued = std::function<void(const std::string& name, const Key& key)>;

  struct Parts {
    std::shared_ptr<HttpProofs> proofs;
    std::shared_ptr<net::TlsChallenges> challenges;
    OnIssued on_issued;
    // Told when an attempt has failed, which is made again; may be empty.
    std::function<void(const std::string& name)> on_failed{};
  };

  // `loop` outlives it. Everything happens there.
  Certifier(net::Loop& loop, Options options, net::ResolverOptions resolver, Parts parts);
  Certifier(const Certifier&) = delete;
  Certifier& operator=(const Certifier&) = delete;

  bool goes_by(const Options& options, const net::ResolverOptions& resolver) const {
    return options == options_ && resolver == resolver_options_;
  }
  // The names from now on; those that were there keep what is known of them.
  void keep(const std::vector<std::string>& names);
  const std::map<std::string, Managed>& managed() const { return managed_; }
  // As soon as may be, whatever was planned; false: it is none of the names.
  bool renew_now(const std::string& name);

 private:
  bool open_store();
  void add(const std::string& name);
  void start();
  net::Task<void> run();
  std::optional<std::string> next_due(WallTime now, WallTime& wake) const;
  WallTime due_at(const Managed& managed, WallTime now) const;
  net::Task<void> attend(std::string name);
  net::Task<Outcome<void>> make(std::string name);
  net::Task<Outcome<Issued>> order(std::string name);
  net::Task<Outcome<void>> open_client();
  net::Task<void> ask_when(std::string name);
  net::Task<void> attend_safely(std::string name);
  void take(const std::string& name, Key key);
  void note_failure(const std::string& name, const Failure& failure);
  void keep_progress(const std::string& name);
  bool take_what_another_made(const std::string& name);
  void look_for_others();
  Solvers solvers_for(const std::string& name) const;
  double chance() { return std::uniform_real_distribution<double>(0, 1)(random_); }

  net::Loop& loop_;
  const Options options_;
  const net::ResolverOptions resolver_options_;
  net::Resolver resolver_;
  Parts parts_;
  std::mt19937_64 random_{std::random_device{}()};
  std::map<std::string, Managed> managed_;
  std::optional<Store> store_;
  std::unique_ptr<upstream::Fetcher> fetcher_;
  std::optional<jose::SigningKey> account_key_;
  std::unique_ptr<Client> client_;  // null: not open
  WallTime paused_until_;           // what has failed for one would fail for all
  std::string attended_;            // whose turn it is; empty: it is nobody's
  bool is_dropped_ = false;         // it is none of the names any more
  net::Child<void> running_;
};

}  // namespace rproxy::acme
