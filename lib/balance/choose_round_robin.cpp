// Weighted round robin by earliest deadline: each candidate has one turn for each unit of its weight in every round, evenly spaced.
#include <algorithm>
#include <map>
#include <vector>

#include "balance/chooser.h"

namespace rproxy::balance {
namespace {

// When a candidate's next turn is, exactly: in which round, and there at (step + phase / kPhases) / weight.
struct Turn {
  static constexpr std::uint64_t kPhases = 1 << 20;

  std::uint64_t round = 0;
  std::uint64_t step = 0;    // below the weight
  std::uint64_t phase = 0;   // below kPhases
  std::uint64_t weight = 0;  // up to 100,000: products of two such places fit; 0: has had none

  std::uint64_t place() const { return step * kPhases + phase; }
  bool operator<(const Turn& other) const {
    if (round != other.round) return round < other.round;
    return place() * other.weight < other.place() * weight;
  }
  void advance() {
    if (++step < weight) return;
    step = 0;
    ++round;
  }
};

class RoundRobin final : public Chooser {
  // Order of a heap whose first has the next turn.
  auto later() const {
    return [this](std::uint32_t a, std::uint32_t b) {
      const Turn& left = turns_[candidates_[a].index];
      const Turn& right = turns_[candidates_[b].index];
      if (left < right) return false;
      return right < left || a > b;
    };
  }

 public:
  RoundRobin(std::size_t endpoints, std::uint64_t seed) : seed_(seed), turns_(endpoints) {}

  // Who stays as it was keeps its turn: however often others come and go, each gets its share.
  void adopt(const Tier& tier) override {
    candidates_ = tier.candidates;
    std::map<std::uint32_t, std::size_t> sizes;
    for (const Candidate& each : candidates_) ++sizes[each.weight];
    std::map<std::uint32_t, std::size_t> ranks;
    heap_.clear();
    for (std::uint32_t i = 0; i < candidates_.size(); ++i) {
      const std::uint32_t weight = candidates_[i].weight;
      const std::size_t rank = ranks[weight]++;
      Turn& turn = turns_[candidates_[i].index];
      // No burst to make up for the time away.
      if (turn.weight != weight || turn < last_) turn = place(weight, rank, sizes[weight]);
      heap_.push_back(i);
    }
    std::ranges::make_heap(heap_, later());
  }

  std::optional<std::size_t> choose(const PickRequest& request) override {
    std::optional<std::size_t> chosen;
    passed_.clear();
    while (!heap_.empty() && !chosen) {
      std::ranges::pop_heap(heap_, later());
      const std::uint32_t at = heap_.back();
      Turn& turn = turns_[candidates_[at].index];
      if (takes(candidates_[at], request)) {
        chosen = at;
        last_ = turn;
        turn.advance();
        std::ranges::push_heap(heap_, later());
        continue;
      }
      heap_.pop_back();
      passed_.push_back(at);
      // It is the next request's turn to go to one that this request has tried; one that is full has missed it.
      if (candidates_[at].state->is_full()) turn.advance();
    }
    for (const std::uint32_t at : passed_) {
      heap_.push_back(at);
      std::ranges::push_heap(heap_, later());
    }
    return chosen;
  }

 private:
  // The first one from now on. Those of like weight are spread evenly, and workers begin at different ones, so that their first requests
  // do not all meet one endpoint.
  Turn place(std::uint64_t weight, std::size_t rank, std::size_t size) const {
    Turn turn;
    turn.round = last_.round;
    turn.weight = weight;
    turn.phase = (rank + size - seed_ % size) % size * Turn::kPhases / size;
    if (last_.weight != 0) turn.step = last_.place() * weight / (last_.weight * Turn::kPhases);
    if (turn < last_) turn.advance();
    return turn;
  }

  const std::uint64_t seed_;
  std::span<const Candidate> candidates_;
  std::vector<Turn> turns_;          // by the endpoints' index
  std::vector<std::uint32_t> heap_;  // of candidates, the next turn first
  std::vector<std::uint32_t> passed_;
  Turn last_;
};

}  // namespace

std::unique_ptr<Chooser> make_round_robin(std::size_t endpoints, std::uint64_t seed) {
  return std::make_unique<RoundRobin>(endpoints, seed);
}

}  // namespace rproxy::balance
