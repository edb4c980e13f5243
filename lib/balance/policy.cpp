#include "balance/policy.h"

#include <algorithm>
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

  Pick pick(const PickRequest& request) final {
    if (auto picked = choose(request, true)) return picked;
    return is_full(request) ? std::nullopt : choose(request, false);
  }

  bool is_full(const PickRequest& request) const final {
    return std::ranges::any_of(endpoints_, [&](const EndpointState* each) {
      return !request.tried.has(each->id()) && each->is_full() && each->is_available(request.now);
    });
  }

 protected:
  virtual Pick choose(const PickRequest& request, bool available) = 0;

  bool is_eligible(std::size_t i, const PickRequest& request, bool available) const {
    const EndpointState& each = *endpoints_[i];
    return (available ? each.is_available(request.now) : each.is_in_service()) && !each.is_full() &&
           !request.tried.has(each.id());
  }

  const Endpoints endpoints_;
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
      const std::int64_t weight = endpoints_[i]->weight();
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
  Pick choose(const PickRequest& request, bool available) override {
    return turns_.next([&](std::size_t i) { return is_eligible(i, request, available); });
  }

  SmoothTurns turns_;
};

// Fewest requests in flight for its weight; equals, such as all that are idle, take turns by weight.
class LeastConn final : public EligiblePolicy {
 public:
  LeastConn(std::span<EndpointState* const> endpoints, std::uint64_t seed)
      : EligiblePolicy(endpoints), turns_(endpoints_, seed), in_flight_(endpoints.size()) {}

 private:
  Pick choose(const PickRequest& request, bool available) override {
    // Other workers count, too: looked at once, or equals might not stay so.
    for (std::size_t i = 0; i < endpoints_.size(); ++i) in_flight_[i] = endpoints_[i]->in_flight();
    Pick least;
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
      if (is_eligible(i, request, available) && (!least || is_less_loaded(i, *least))) least = i;
    }
    if (!least) return std::nullopt;
    return turns_.next([&](std::size_t i) { return is_eligible(i, request, available) && !is_less_loaded(*least, i); });
  }

  bool is_less_loaded(std::size_t a, std::size_t b) const {
    return in_flight_[a] * endpoints_[b]->weight() < in_flight_[b] * endpoints_[a]->weight();
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
  Pick choose(const PickRequest& request, bool available) override {
    eligible_.clear();
    for (std::size_t i = 0; i < endpoints_.size(); ++i) {
      if (is_eligible(i, request, available)) eligible_.push_back(i);
    }
    if (eligible_.empty()) return std::nullopt;
    if (eligible_.size() == 1) return eligible_.front();
    const std::size_t first = random_() % eligible_.size();
    std::size_t second = random_() % (eligible_.size() - 1);
    if (second >= first) ++second;
    const std::size_t a = eligible_[first];
    const std::size_t b = eligible_[second];
    return endpoints_[a]->load(request.now) <= endpoints_[b]->load(request.now) ? a : b;
  }

  std::minstd_rand random_;
  std::vector<std::size_t> eligible_;
};

}  // namespace

constexpr PolicyKind kAll[] = {PolicyKind::kP2cEwma, PolicyKind::kRoundRobin, PolicyKind::kLeastConn,
                               PolicyKind::kRandom, PolicyKind::kHash};

std::string_view to_string(PolicyKind kind) {
  switch (kind) {
    case PolicyKind::kP2cEwma:
      return "p2c_ewma";
    case PolicyKind::kRoundRobin:
      return "round_robin";
    case PolicyKind::kLeastConn:
      return "least_conn";
    case PolicyKind::kRandom:
      return "random";
    case PolicyKind::kHash:
      return "hash";
  }
  return "";
}

std::optional<PolicyKind> parse_policy(std::string_view text) {
  for (const auto kind : kAll) {
    if (text == to_string(kind)) return kind;
  }
  return std::nullopt;
}

std::string to_string(const HashKey& key) {
  switch (key.source) {
    case HashKey::Source::kClientIp:
      break;
    case HashKey::Source::kUri:
      return "uri";
    case HashKey::Source::kHeader:
      return "header:" + key.name;
    case HashKey::Source::kCookie:
      return "cookie:" + key.name;
    case HashKey::Source::kQuery:
      return "query:" + key.name;
  }
  return "client_ip";
}

// FNV-1a, and what MurmurHash3 ends with: the first alone leaves the high bits of short keys alike.
std::uint64_t hash_of(std::string_view bytes, std::uint64_t seed) {
  std::uint64_t hash = 0xcbf29ce484222325U ^ seed;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdU;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53U;
  return hash ^ (hash >> 33);
}

std::unique_ptr<Policy> make_policy(const PolicyOptions& options, std::span<EndpointState* const> endpoints,
                                    std::uint64_t seed) {
  switch (options.kind) {
    case PolicyKind::kRoundRobin:
      return std::make_unique<RoundRobin>(endpoints, seed);
    case PolicyKind::kLeastConn:
      return std::make_unique<LeastConn>(endpoints, seed);
    case PolicyKind::kP2cEwma:
    case PolicyKind::kRandom:
    case PolicyKind::kHash:
      break;
  }
  return std::make_unique<P2cEwma>(endpoints, seed);
}

}  // namespace rproxy::balance
