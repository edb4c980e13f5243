// Answers who validates by HTTP-01 (RFC 8555 8.3), in front of all routes and redirects.
#pragma once

#include <memory>

#include "acme/solver.h"
#include "base/disk_threads.h"
#include "exchange/exchange.h"

namespace rproxy::acme {

// Where proofs are found, of this instance and of others that share its directory. Any thread.
struct HttpProofs {
  explicit HttpProofs(const std::string& directory) : files(directory) {}

  HttpChallenges own;
  ChallengeFiles files;
  DiskThreads disk{1, 64};
};

class ChallengeHandler final : public exchange::Handler {
 public:
  // `next` outlives the handler; it gets whatever is no challenge that is known.
  ChallengeHandler(std::shared_ptr<HttpProofs> proofs, exchange::Handler& next)
      : proofs_(std::move(proofs)), next_(next) {}

  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  net::Task<std::string> find(const exchange::Request& request, std::string token) const;
  net::Task<Result<exchange::Response>> answer_or_pass(exchange::Request& request, std::string token);

  std::shared_ptr<HttpProofs> proofs_;
  exchange::Handler& next_;
};

}  // namespace rproxy::acme
