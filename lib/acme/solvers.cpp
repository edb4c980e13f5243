#include "acme/solvers.h"

#include <optional>
#include <utility>

namespace rproxy::acme {
namespace {

std::unique_ptr<Solver> make_solver(ChallengeType type, net::Loop& loop, const Options& options,
                                    const ProofPlaces& places) {
  switch (type) {
    case ChallengeType::kHttp01:
      return std::make_unique<Http01Solver>(places.http->own,
                                            places.tells_others ? std::optional(places.http->files) : std::nullopt);
    case ChallengeType::kTlsAlpn01:
      return std::make_unique<TlsAlpn01Solver>(places.tls);
    case ChallengeType::kDns01:
      break;
  }
  return std::make_unique<Dns01Solver>(loop, Dns01Solver::Options{options.dns_hook, options.dns_hook_timeout,
                                                                  options.dns_propagation, places.waits_when_dropped});
}

}  // namespace

Solvers make_solvers(net::Loop& loop, const Options& options, const ProofPlaces& places) {
  Solvers solvers;
  for (const ChallengeType type : options.challenges) solvers.push_back(make_solver(type, loop, options, places));
  return solvers;
}

}  // namespace rproxy::acme
