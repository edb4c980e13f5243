// Consistent hashing with bounded loads: a key's endpoint is the next on the ring that takes the request and is not over its share.
#include <unordered_map>
#include <utility>
#include <vector>

#include "balance/chooser.h"
#include "balance/hash.h"
#include "balance/random.h"
#include "balance/ring.h"

namespace rproxy::balance {
namespace {

// Beyond so many points hardly anybody takes the request: looked at one by one then.
constexpr std::size_t kWalkMax = 1024;
// A ring of the whole group serves as long as one in so many of its points is a candidate's.
constexpr std::size_t kSparse = 4;
constexpr std::uint32_t kNobody = static_cast<std::uint32_t>(-1);

class ByHash final : public Chooser {
 public:
  ByHash(Peers& peers, std::uint32_t load_factor) : peers_(peers), load_factor_(load_factor) {}

  void adopt(const Tier& tier) override {
    candidates_ = tier.candidates;
    total_weight_ = 0;
    std::unordered_map<const EndpointState*, std::uint32_t> places;
    for (std::uint32_t i = 0; i < candidates_.size(); ++i) {
      total_weight_ += candidates_[i].weight;
      places.emplace(candidates_[i].state, i);
    }
    const bool is_sparse = candidates_.size() * kSparse < tier.group.size();
    std::vector<Ring::Member> members;
    std::uint64_t weight = 0;
    candidate_of_.clear();
    for (const EndpointState* each : tier.group) {
      // One whose weight has just become 0 is as good as gone.
      const std::uint32_t own = each->weight();
      weight += own;
      const auto found = places.find(each);
      if (is_sparse && found == places.end()) continue;
      members.push_back({each->name(), own});
      candidate_of_.push_back(found == places.end() ? kNobody : found->second);
    }
    ring_ = peers_.ring(std::move(members), Ring::points_for(weight));
  }

  std::optional<std::size_t> choose(const PickRequest& request) override {
    if (candidates_.empty()) return std::nullopt;
    if (const auto found = walk(request, true)) return found;
    if (const auto found = walk(request, false)) return found;
    return highest(request);
  }

 private:
  std::optional<std::size_t> walk(const PickRequest& request, bool is_bounded) const {
    if (ring_->size() == 0) return std::nullopt;
    std::size_t point = ring_->find(request.hash);
    for (std::size_t steps = std::min(kWalkMax, ring_->size()); steps > 0; --steps) {
      const std::uint32_t at = candidate_of_[ring_->member(point)];
      if (at != kNobody && takes(candidates_[at], request) && (!is_bounded || has_room(candidates_[at], request.hash)))
        return at;
      if (++point == ring_->size()) point = 0;
    }
    return std::nullopt;
  }

  bool has_room(const Candidate& candidate, std::uint64_t hash) const {
    // Of its keys it takes so many, always the same, and more of them as it warms up.
    if (candidate.ramp < 100 && mix(hash ^ candidate.state->id()) % 100 >= candidate.ramp) return false;
    if (load_factor_ == 0) return true;
    const std::uint64_t share = std::uint64_t{peers_.in_flight() + 1U} * candidate.weight * load_factor_;
    const std::uint64_t whole = total_weight_ * 100;
    return candidate.state->in_flight() < (share + whole - 1) / whole;
  }

  // Rendezvous hashing: as consistent as the ring, but for all candidates' cost.
  std::optional<std::size_t> highest(const PickRequest& request) const {
    std::optional<std::size_t> best;
    std::uint64_t best_score = 0;
    for (std::size_t i = 0; i < candidates_.size(); ++i) {
      if (!takes(candidates_[i], request)) continue;
      const std::uint64_t score = mix(request.hash ^ mix(candidates_[i].state->id()));
      if (best && score <= best_score) continue;
      best = i;
      best_score = score;
    }
    return best;
  }

  Peers& peers_;
  const std::uint32_t load_factor_;
  std::span<const Candidate> candidates_;
  std::uint64_t total_weight_ = 0;
  std::shared_ptr<const Ring> ring_;
  std::vector<std::uint32_t> candidate_of_;  // the ring's members
};

}  // namespace

std::unique_ptr<Chooser> make_hash(Peers& peers, std::uint32_t load_factor) {
  return std::make_unique<ByHash>(peers, load_factor);
}

}  // namespace rproxy::balance
