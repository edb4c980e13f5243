#include "balance/policy.h"

#include <random>
#include <vector>

namespace rproxy::balance {
namespace {

using Endpoints = std::vector<EndpointState*>;
using Pick = std::optional<std::size_t>;

// What all policies agree on: who may be picked at all.
class EligiblePolicy : public Policy {
 public:
  explicit EligiblePolicy(std::span<EndpointState* const> endpoints) : endpoints_(endpoints.begin(), endpoints.end()) {}

  Pick pick(const TriedSet& tried, TimePoint now) final {
    if (auto picked = choose(tried, now, may_respect_ejection(now))) return picked;
    return choose(tried, now, false);
  }

 protected:
  virtual Pick choose(const TriedSet& tried, TimePoint now, bool respect_ejection) = 0;

  bool is_eligible(std::size_t i, const TriedSet& tried, TimePoint now, bool respect_ejection) const {
    return endpoints_[i]->options().weight != 0 && !tried.has(i) &&
           !(respect_ejection && endpoints_[i]->is_ejected(now));
  }

  const Endpoints endpoints_;

 private:
  // When more have failed than may be ejected, the fault is likely not theirs alone: spread over all.
  bool may_respect_ejection(TimePoint now) const {
    if (endpoints_.empty()) return false;
    const std::uint32_t max_percent = endpoints_.front()->ejection().max_percent;
    if (max_percent >= 100) return true;
    std::size_t ejected = 0;
    for (const EndpointState* endpoint : endpoints_) ejected += endpoint->is_ejected(now) ? 1 : 0;
    return ejected * 100 <= endpoints_.size() * max_percent;
  }
};

// Smooth weighted round robin, as nginx has it: every turn each gains its weight, and the richest pays the sum.
class SmoothTurns {
 public:
  SmoothTurns(const Endpoints& endpoints, std::uint64_t seed) : endpoints_(endpoints), credit_(endpoints.size()) {
    // Workers begin at different places, so that their first requests do not all meet one endpoint.
    if (!credit_.empty()) credit_[seed % credit_.size()] = 1;
  }

  template <typename Takes>
  Pick next(Takes takes) {
    Pick best;
    std::int64_t total = 0;
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
      if (!takes(i)) continue;
      const std::int64_t weight = endpoints_[i]->options().weight;
      credit_[i] += weight;
      total += weight;
      if (!best || credit_[i] > credit_[*best]) best = i;
    }
    if (best) credit_[*best] -= total;
    return best;
  }

 private:
  const Endpoints& endpoints_;
  std::vector<std::int64_t> credit_;
};

class RoundRobin final : public EligiblePolicy {
 public:
  RoundRobin(std::span<EndpointState* const> endpoints, std::uint64_t seed)
      : EligiblePolicy(endpoints), turns_(endpoints_, seed) {}

 private:
  Pick choose(const TriedSet& tried, TimePoint now, bool respect_ejection) override {
    return turns_.next([&](std::size_t i) { return is_eligible(i, tried, now, respect_ejection); });
  }

  SmoothTurns turns_;
};

// Fewest requests in flight for its weight; equals, such as all that are idle, take turns by weight.
class LeastConn final : public EligiblePolicy {
 public:
  LeastConn(std::span<EndpointState* const> endpoints, std::uint64_t seed)
      : EligiblePolicy(endpoints), turns_(endpoints_, seed), in_flight_(endpoints.size()) {}

 private:
  Pick choose(const TriedSet& tried, TimePoint now, bool respect_ejection) override {
    // Other workers count, too: looked at once, or equals might not stay so.
    for (std::size_t i = 0; i < endpoints_.size(); ++i) in_flight_[i] = endpoints_[i]->in_flight();
    Pick least;
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
      if (is_eligible(i, tried, now, respect_ejection) && (!least || is_less_loaded(i, *least))) least = i;
    }
    if (!least) return std::nullopt;
    return turns_.next(
        [&](std::size_t i) { return is_eligible(i, tried, now, respect_ejection) && !is_less_loaded(*least, i); });
  }

  bool is_less_loaded(std::size_t a, std::size_t b) const {
    return in_flight_[a] * endpoints_[b]->options().weight < in_flight_[b] * endpoints_[a]->options().weight;
  }

  SmoothTurns turns_;
  std::vector<std::uint64_t> in_flight_;  // of this pick
};

// Two at random, the better of them: nearly as good as looking at all, and no herd runs to the one best.
class P2cEwma final : public EligiblePolicy {
 public:
  P2cEwma(std::span<EndpointState* const> endpoints, std::uint64_t seed) : EligiblePolicy(endpoints), random_(seed) {
    eligible_.reserve(endpoints.size());
  }

 private:
  Pick choose(const TriedSet& tried, TimePoint now, bool respect_ejection) override {
    eligible_.clear();
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
      if (is_eligible(i, tried, now, respect_ejection)) eligible_.push_back(i);
    }
    if (eligible_.empty()) return std::nullopt;
    if (eligible_.size() == 1) return eligible_.front();
    const std::size_t first = random_() % eligible_.size();
    std::size_t second = random_() % (eligible_.size() - 1);
    if (second >= first) ++second;
    const std::size_t a = eligible_[first];
    const std::size_t b = eligible_[second];
    return endpoints_[a]->load(now) <= endpoints_[b]->load(now) ? a : b;
  }

  std::minstd_rand random_;
  std::vector<std::size_t> eligible_;
};

}  // namespace

std::string_view to_string(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::kP2cEwma:
      return "p2c_ewma";
    case PolicyKind::kRoundRobin:
      return "round_robin";
    case PolicyKind::kLeastConn:
      return "least_conn";
  }
  return "";
}

std::optional<PolicyKind> parse_policy(std::string_view text) {
  for (const auto kind : {PolicyKind::kP2cEwma, PolicyKind::kRoundRobin, PolicyKind::kLeastConn}) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

std::unique_ptr<Policy> make_policy(PolicyKind kind, std::span<EndpointState* const> endpoints, std::uint64_t seed) {
  switch (kind) {
    case PolicyKind::kRoundRobin:
      return std::make_unique<RoundRobin>(endpoints, seed);
    case PolicyKind::kLeastConn:
      return std::make_unique<LeastConn>(endpoints, seed);
    case PolicyKind::kP2cEwma:
      break;
  }
  return std::make_unique<P2cEwma>(endpoints, seed);
}

}  // namespace rproxy::balance
