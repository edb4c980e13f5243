#include "sim/world.h"

namespace rproxy::sim {

std::vector<World::Choice> World::choices() const {
  std::vector<Choice> all;
  for (Actor* actor : actors_) {
    const unsigned ready = actor->ready();
    for (unsigned bit = 0; bit < 8; ++bit) {
      if ((ready >> bit & 1) != 0) all.push_back({actor, bit});
    }
  }
  return all;
}

bool World::step() {
  auto possible = choices();
  // A round of the loop ends at the latest when nothing more happens in it.
  if (possible.empty()) {
    end_round();
    possible = choices();
  }
  if (possible.empty()) return false;
  ++steps_;
  // A delay, not so many that a timeout passes which is no fault of anybody.
  if (one_in(64) && delays_ < kDelaysMax) {
    ++delays_;
    advance();
    return true;
  }
  const Choice choice = possible[options_.in_pieces ? below(possible.size()) : 0];
  choice.actor->act(choice.bit);
  if (!one_in(2)) end_round();
  return true;
}

void World::end_round() {
  loop_.run_posted();
  loop_.poller().call_at_end();
}

void World::advance() {
  loop_.wheel().advance(++tick_);
  end_round();
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
