// How one policy chooses among equals; who they are is the View's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "balance/policy.h"
#include "balance/view.h"

namespace rproxy::balance {

class Chooser {
 public:
  virtual ~Chooser() = default;
  // From now on of these, who stay in place until the next call.
  virtual void adopt(const Tier& tier) = 0;
  // A position among the candidates that takes the request.
  virtual std::optional<std::size_t> choose(const PickRequest& request) = 0;
};

inline bool takes(const Candidate& candidate, const PickRequest& request) {
  return !request.tried.has(candidate.state->id()) && !candidate.state->is_full();
}

// `endpoints`: how many there are at most; candidates' indexes are below it.
std::unique_ptr<Chooser> make_round_robin(std::size_t endpoints, std::uint64_t seed);
std::unique_ptr<Chooser> make_least_conn(std::size_t endpoints, std::uint64_t seed);
std::unique_ptr<Chooser> make_random(std::uint64_t seed);
std::unique_ptr<Chooser> make_p2c_ewma(std::uint64_t seed);
std::unique_ptr<Chooser> make_hash(Peers& peers, std::uint32_t load_factor);

}  // namespace rproxy::balance
