#include "storage/eviction.h"

#include <algorithm>
#include <bit>

namespace rproxy::storage {

using Queue = Eviction::Link::Queue;

namespace {

constexpr std::size_t kGhostSlotsMin = 64;
constexpr std::size_t kGhostSlotsMax = 1 << 20;

}  // namespace

// One slot for each place a digest can go to: a newer ghost takes an older one's, which makes the memory of them fuzzy and cheap.
void Eviction::Ghosts::add(std::uint64_t digest, std::size_t most) {
  const std::size_t wanted = std::clamp(std::bit_ceil(most * 2 + 1), kGhostSlotsMin, kGhostSlotsMax);
  if (slots_.size() < wanted) {
    std::vector<Slot> larger(wanted);
    for (const Slot& slot : slots_) {
      if (slot.at != 0) larger[slot.digest & (wanted - 1)] = slot;
    }
    slots_ = std::move(larger);
  }
  slots_[digest & (slots_.size() - 1)] = {digest, ++clock_};
}

bool Eviction::Ghosts::take(std::uint64_t digest, std::size_t most) {
  if (slots_.empty()) return false;
  Slot& slot = slots_[digest & (slots_.size() - 1)];
  if (slot.at == 0 || slot.digest != digest || clock_ - slot.at > most) return false;
  slot = {};
  return true;
}

void Eviction::push(Link& link, Queue queue) {
  link.queue = queue;
  List& list = list_of(link);
  link.older = list.newest;
  link.newer = nullptr;
  (list.newest != nullptr ? list.newest->newer : list.oldest) = &link;
  list.newest = &link;
  list.cost += link.cost;
  ++list.count;
}

void Eviction::unlink(Link& link) {
  List& list = list_of(link);
  (link.newer != nullptr ? link.newer->older : list.newest) = link.older;
  (link.older != nullptr ? link.older->newer : list.oldest) = link.newer;
  list.cost -= link.cost;
  --list.count;
  link.queue = Queue::kNone;
}

void Eviction::insert(Link& link, bool is_known) {
  link.uses = 0;
  push(link, is_known || ghosts_.take(link.digest, ghosts_max()) ? Queue::kMain : Queue::kSmall);
}

void Eviction::remove(Link& link) {
  if (link.queue != Queue::kNone) unlink(link);
}

void Eviction::set_cost(Link& link, std::size_t cost) {
  if (link.queue != Queue::kNone) list_of(link).cost += cost - link.cost;
  link.cost = cost;
}

Eviction::Link* Eviction::evict() {
  const bool small_is_full = small_.cost * kSmallShare >= most_ || main_.count == 0;
  if (small_is_full) {
    if (Link* link = evict_small()) return link;
  }
  if (Link* link = evict_main()) return link;
  return evict_small();
}

// Who was asked for more than once goes over to the main queue.
Eviction::Link* Eviction::evict_small() {
  while (small_.oldest != nullptr) {
    Link& link = *small_.oldest;
    unlink(link);
    if (link.uses > 1) {
      link.uses = 0;
      push(link, Queue::kMain);
      continue;
    }
    ghosts_.add(link.digest, ghosts_max());
    return &link;
  }
  return nullptr;
}

// Each use gives another round; it ends, as each round takes one.
Eviction::Link* Eviction::evict_main() {
  while (main_.oldest != nullptr) {
    Link& link = *main_.oldest;
    unlink(link);
    if (link.uses == 0) return &link;
    --link.uses;
    push(link, Queue::kMain);
  }
  return nullptr;
}

}  // namespace rproxy::storage
