#include "balance/chooser.h"
#include "balance/lottery.h"

namespace rproxy::balance {
namespace {

class ByChance final : public Chooser {
 public:
  explicit ByChance(std::uint64_t seed) : lottery_(seed) {}

  void adopt(const Tier& tier) override { lottery_.adopt(tier.candidates); }
  std::optional<std::size_t> choose(const PickRequest& request) override { return lottery_.draw(request); }

 private:
  Lottery lottery_;
};

// Two at random by weight, the better of them: nearly as good as looking at all, and no herd runs to the one best.
class P2cEwma final : public Chooser {
 public:
  explicit P2cEwma(std::uint64_t seed) : lottery_(seed) {}

  void adopt(const Tier& tier) override {
    candidates_ = tier.candidates;
    lottery_.adopt(candidates_);
    total_weight_ = 0;
    for (const Candidate& each : candidates_) total_weight_ += each.weight;
  }

  std::optional<std::size_t> choose(const PickRequest& request) override {
    const auto first = lottery_.draw(request);
    if (!first || candidates_.size() == 1) return first;
    const auto second = lottery_.draw(request, *first);
    if (!second) return first;
    // Who starts slowly is not to get more because it is idle.
    if (const std::uint32_t ramp = candidates_[*second].ramp; ramp < 100 && lottery_.random().below(100) >= ramp)
      return first;
    return cost(*second, request.now) * kMuchBetter < cost(*first, request.now) ? second : first;
  }

 private:
  // Equals by all but noise share by weight, as they were drawn.
  static constexpr double kMuchBetter = 1.25;

  double cost(std::size_t at, TimePoint now) const {
    const Candidate& each = candidates_[at];
    // As if the weights' mean were 1.
    const double share =
        static_cast<double>(each.weight) * static_cast<double>(candidates_.size()) / static_cast<double>(total_weight_);
    return each.state->expected_latency_ns(now) * (1 + each.state->in_flight() / share);
  }

  std::span<const Candidate> candidates_;
  std::uint64_t total_weight_ = 0;
  Lottery lottery_;
};

}  // namespace

std::unique_ptr<Chooser> make_random(std::uint64_t seed) { return std::make_unique<ByChance>(seed); }
std::unique_ptr<Chooser> make_p2c_ewma(std::uint64_t seed) { return std::make_unique<P2cEwma>(seed); }

}  // namespace rproxy::balance
