#include "sim/world.h"

namespace rproxy::sim {

bool World::step() {
  struct Choice {
    Actor* actor;
    unsigned bit;
  };
  std::vector<Choice> choices;
  for (Actor* actor : actors_) {
    const unsigned ready = actor->ready();
    for (unsigned bit = 0; bit < 8; ++bit) {
      if ((ready >> bit & 1) != 0) choices.push_back({actor, bit});
    }
  }
  if (choices.empty()) return false;
  ++steps_;
  // A delay, not so many that a timeout passes which is no fault of anybody.
  if (one_in(64) && delays_ < kDelaysMax) {
    ++delays_;
    advance();
    return true;
  }
  const Choice choice = choices[options_.in_pieces ? below(choices.size()) : 0];
  choice.actor->act(choice.bit);
  return true;
}

// Mostly small, sometimes all of it: both what is cut in the midst of a line and what comes with the next message matter.
std::size_t World::part_of(std::size_t size) {
  if (!options_.in_pieces || size <= 1 || below(4) == 0) return size;
  const std::size_t most = below(2) == 0 ? std::min<std::size_t>(size, 16) : size;
  return 1 + below(most);
}

Fault World::next_operation(Harmless harmless) {
  if (++operations_ != options_.fault_at) return Fault::kNone;
  harmless_ = harmless == Harmless::kEver || (harmless == Harmless::kBroken && options_.fault != Fault::kStall);
  return options_.fault;
}

}  // namespace rproxy::sim
