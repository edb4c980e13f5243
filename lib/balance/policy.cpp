#include "balance/policy.h"

#include <algorithm>
#include <vector>

#include "balance/chooser.h"
#include "balance/view.h"

namespace rproxy::balance {
namespace {

constexpr PolicyKind kAll[] = {PolicyKind::kP2cEwma, PolicyKind::kRoundRobin, PolicyKind::kLeastConn,
                               PolicyKind::kRandom, PolicyKind::kHash};

// Keeps what it saw of the endpoints until their peers' epoch, or time, says that it no longer holds.
class ViewingPolicy final : public Policy {
 public:
  ViewingPolicy(const PolicyOptions& options, std::span<EndpointState* const> endpoints, std::uint64_t seed)
      : options_(options), endpoints_(endpoints.begin(), endpoints.end()), seed_(seed) {}

  std::optional<std::size_t> pick(const PickRequest& request) override {
    if (endpoints_.empty()) return std::nullopt;
    look(request.now);
    for (std::size_t i = 0; i < view_.tiers.size(); ++i) {
      if (!view_.tiers[i].is_available && is_full(request)) return std::nullopt;
      if (const auto at = chooser(i).choose(request)) return view_.tiers[i].candidates[*at].index;
    }
    return std::nullopt;
  }

  // Whether he is full now is no matter: he was, and may have got room since.
  bool is_full(const PickRequest& request) const override {
    return std::ranges::any_of(endpoints_, [&](const EndpointState* each) {
      return each->is_available(request.now) && !request.tried.has(each->id());
    });
  }

 private:
  // One for each tier, made and told when it is first asked: mostly that is the first alone.
  struct Seat {
    std::unique_ptr<Chooser> chooser;
    bool is_told = false;
  };

  void look(TimePoint now) {
    // Before the endpoints: what changes meanwhile is looked at again.
    const std::uint64_t epoch = endpoints_.front()->peers().epoch();
    if (epoch == epoch_ && now < view_.until) return;
    epoch_ = epoch;
    view_ = look_at(endpoints_, {options_.slow_start, options_.panic_threshold}, now);
    for (Seat& seat : seats_) seat.is_told = false;
  }

  Chooser& chooser(std::size_t tier) {
    while (seats_.size() <= tier) seats_.push_back({make(seed_ + seats_.size()), false});
    Seat& seat = seats_[tier];
    if (!seat.is_told) seat.chooser->adopt(view_.tiers[tier]);
    seat.is_told = true;
    return *seat.chooser;
  }

  std::unique_ptr<Chooser> make(std::uint64_t seed) const {
    switch (options_.kind) {
      case PolicyKind::kRoundRobin:
        return make_round_robin(endpoints_.size(), seed);
      case PolicyKind::kLeastConn:
        return make_least_conn(endpoints_.size(), seed);
      case PolicyKind::kRandom:
        return make_random(seed);
      case PolicyKind::kHash:
        return make_hash(endpoints_.front()->peers(), options_.load_factor);
      case PolicyKind::kP2cEwma:
        break;
    }
    return make_p2c_ewma(seed);
  }

  const PolicyOptions options_;
  const std::vector<EndpointState*> endpoints_;
  const std::uint64_t seed_;
  std::uint64_t epoch_ = 0;
  View view_;
  std::vector<Seat> seats_;
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

std::unique_ptr<Policy> make_policy(const PolicyOptions& options, std::span<EndpointState* const> endpoints,
                                    std::uint64_t seed) {
  return std::make_unique<ViewingPolicy>(options, endpoints, seed);
}

}  // namespace rproxy::balance
