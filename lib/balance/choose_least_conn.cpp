// Fewest requests in flight for its weight; equals, such as all that are idle, take turns by weight.
#include <vector>

#include "balance/chooser.h"
#include "balance/lottery.h"

namespace rproxy::balance {
namespace {

constexpr std::size_t kLookAtAll = 64;  // candidates; of more, the best of some drawn
constexpr int kDrawn = 8;

class LeastConn final : public Chooser {
 public:
  LeastConn(std::size_t endpoints, std::uint64_t seed) : credit_(endpoints), lottery_(seed) {
    // Workers begin at different places, so that their first requests do not all meet one endpoint.
    if (!credit_.empty()) credit_[seed % credit_.size()] = 1;
  }

  void adopt(const Tier& tier) override {
    candidates_ = tier.candidates;
    if (candidates_.size() > kLookAtAll) lottery_.adopt(candidates_);
  }

  std::optional<std::size_t> choose(const PickRequest& request) override {
    return candidates_.size() > kLookAtAll ? best_drawn(request) : best_of_all(request);
  }

 private:
  // How busy `a` is, for comparing: a / its weight < b / its weight.
  static bool is_less(std::uint64_t a, const Candidate& of_a, std::uint64_t b, const Candidate& of_b) {
    return a * of_b.weight < b * of_a.weight;
  }

  std::optional<std::size_t> best_of_all(const PickRequest& request) {
    equals_.clear();
    std::uint64_t least = 0;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (!takes(candidates_[i], request)) continue;
      // Other workers count, too: read once.
      const std::uint64_t busy = candidates_[i].state->in_flight();
      if (!equals_.empty() && is_less(least, candidates_[equals_.front()], busy, candidates_[i])) continue;
      if (!equals_.empty() && is_less(busy, candidates_[i], least, candidates_[equals_.front()])) equals_.clear();
      if (equals_.empty()) least = busy;
      equals_.push_back(i);
    }
    return take_turn();
  }

  // Smooth weighted round robin, as nginx has it: every turn each gains its weight, and the richest pays the sum.
  std::optional<std::size_t> take_turn() {
    std::optional<std::size_t> richest;
    std::int64_t total = 0;
    for (const std::size_t i : equals_) {
      std::int64_t& credit = credit_of(i);
      credit += candidates_[i].weight;
      total += candidates_[i].weight;
      if (!richest || credit > credit_of(*richest)) richest = i;
    }
    if (richest) credit_of(*richest) -= total;
    return richest;
  }

  std::optional<std::size_t> best_drawn(const PickRequest& request) {
    auto best = lottery_.draw(request);
    if (!best) return std::nullopt;
    std::uint64_t least = candidates_[*best].state->in_flight();
    for (int i = 1; i < kDrawn; ++i) {
      const auto drawn = lottery_.draw(request);
      if (!drawn) break;
      const std::uint64_t busy = candidates_[*drawn].state->in_flight();
      if (!is_less(busy, candidates_[*drawn], least, candidates_[*best])) continue;
      best = drawn;
      least = busy;
    }
    return best;
  }

  std::int64_t& credit_of(std::size_t at) { return credit_[candidates_[at].index]; }

  std::span<const Candidate> candidates_;
  std::vector<std::int64_t> credit_;  // by the endpoints' index
  std::vector<std::size_t> equals_;   // of this choice: the least busy
  Lottery lottery_;
};

}  // namespace

std::unique_ptr<Chooser> make_least_conn(std::size_t endpoints, std::uint64_t seed) {
  return std::make_unique<LeastConn>(endpoints, seed);
}

}  // namespace rproxy::balance
