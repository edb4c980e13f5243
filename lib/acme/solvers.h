// The ways to prove names that the options allow.
#pragma once

#include <memory>

#include "acme/challenge_handler.h"
#include "acme/issue.h"
#include "acme/options.h"
#include "net/loop.h"
#include "net/tls_identities.h"

namespace rproxy::acme {

// Where those who answer find what they are to answer.
struct ProofPlaces {
  std::shared_ptr<HttpProofs> http;
  std::shared_ptr<net::TlsChallenges> tls;
  bool tells_others = true;         // by files, who shares the directory
  bool waits_when_dropped = false;  // for a hook that cleans up, where the process ends next
};

// In the options' order. `loop` outlives them.
Solvers make_solvers(net::Loop& loop, const Options& options, const ProofPlaces& places);

}  // namespace rproxy::acme
