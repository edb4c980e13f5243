#include "balance/lottery.h"

namespace rproxy::balance {
namespace {

// After so many in vain it is cheaper to look at all.
constexpr int kDrawsMax = 8;

}  // namespace

void Lottery::adopt(std::span<const Candidate> candidates) {
  candidates_ = candidates;
  std::vector<std::uint32_t> weights;
  weights.reserve(candidates.size());
  for (const Candidate& each : candidates) weights.push_back(each.weight);
  table_ = AliasTable(weights);
}

std::optional<std::size_t> Lottery::draw(const PickRequest& request, std::size_t other) {
  if (candidates_.empty()) return std::nullopt;
  for (int i = 0; i < kDrawsMax; ++i) {
    const std::size_t at = table_.pick(random_());
    if (at != other && takes(candidates_[at], request)) return at;
  }
  return draw_of_all(request, other);
}

std::optional<std::size_t> Lottery::draw_of_all(const PickRequest& request, std::size_t other) {
  // Each takes the place of those before it with the chance that its weight has among them.
  std::optional<std::size_t> drawn;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < candidates_.size(); ++i) {
    if (i == other || !takes(candidates_[i], request)) continue;
    total += candidates_[i].weight;
    if (random_() % total < candidates_[i].weight) drawn = i;
  }
  return drawn;
}

}  // namespace rproxy::balance
