// Ways to prove to a server that a name is ours.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acme/hook.h"
#include "acme/options.h"
#include "acme/store.h"
#include "base/result.h"
#include "net/loop.h"
#include "net/task.h"
#include "net/tls_identities.h"

namespace rproxy::acme {

struct Proof {
  Proof() = default;

  std::string name;  // without "*."
  std::string token;
  std::string authorization;  // the key authorization
};

class Solver {
 public:
  Solver() = default;
  Solver(const Solver&) = delete;
  Solver& operator=(const Solver&) = delete;
  virtual ~Solver() = default;

  virtual ChallengeType type() const = 0;
  // From its end on whoever validates finds the proof.
  virtual net::Task<Result<void>> present(Proof proof) = 0;
  // When nobody validates it any more.
  virtual net::Task<void> withdraw(Proof proof) = 0;
  // The same where there is no time to wait for anything; what takes time stays.
  virtual void drop(const Proof& proof) = 0;
};

// What is answered to GET /.well-known/acme-challenge/TOKEN (RFC 8555 8.3). Any thread.
class HttpChallenges {
 public:
  void put(const std::string& token, std::string authorization);
  void remove(const std::string& token);
  // "" where it is not known here.
  std::string find(std::string_view token) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string, std::less<>> known_;
};

class Http01Solver final : public Solver {
 public:
  // `challenges` outlives it. `files` tells other instances; nothing: none is told.
  Http01Solver(HttpChallenges& challenges, std::optional<ChallengeFiles> files)
      : challenges_(challenges), files_(std::move(files)) {}
  ChallengeType type() const override { return ChallengeType::kHttp01; }
  net::Task<Result<void>> present(Proof proof) override;
  net::Task<void> withdraw(Proof proof) override;
  void drop(const Proof& proof) override;

 private:
  HttpChallenges& challenges_;
  const std::optional<ChallengeFiles> files_;
};

// RFC 8737: a handshake is the proof.
class TlsAlpn01Solver final : public Solver {
 public:
  explicit TlsAlpn01Solver(std::shared_ptr<net::TlsChallenges> challenges) : challenges_(std::move(challenges)) {}
  ChallengeType type() const override { return ChallengeType::kTlsAlpn01; }
  net::Task<Result<void>> present(Proof proof) override;
  net::Task<void> withdraw(Proof proof) override;
  void drop(const Proof& proof) override;

 private:
  const std::shared_ptr<net::TlsChallenges> challenges_;
};

// RFC 8555 8.4, by a program: HOOK... present|cleanup _acme-challenge.shop.com. VALUE, with the same in RPROXY_ACME_ACTION, RPROXY_ACME_RECORD,
// RPROXY_ACME_VALUE and the name in RPROXY_ACME_DOMAIN.
class Dns01Solver final : public Solver {
 public:
  struct Options {
    std::vector<std::string> hook;
    Duration timeout{120'000};        // of the program; then it is killed
    Duration propagation{30'000};     // from its end until the record can be seen
    bool waits_when_dropped = false;  // for the program, where the process ends next
  };

  Dns01Solver(net::Loop& loop, Options options) : loop_(loop), options_(std::move(options)) {}
  ChallengeType type() const override { return ChallengeType::kDns01; }
  net::Task<Result<void>> present(Proof proof) override;
  net::Task<void> withdraw(Proof proof) override;
  void drop(const Proof& proof) override;

 private:
  Hook hook_for(const std::string& action, const Proof& proof) const;
  net::Task<Result<void>> run(std::string action, Proof proof);

  net::Loop& loop_;
  const Options options_;
  std::string standing_;  // the token of the record that is there; empty: none is
};

}  // namespace rproxy::acme
