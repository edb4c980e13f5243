#include "storage/memory_store.h"

#include <algorithm>
#include <array>
#include <bit>

#include "cache/fit.h"

namespace rproxy::storage {
namespace {

constexpr std::size_t kShardsMax = 64;
// A shard of less would have no room for what is large.
constexpr std::uint64_t kShardMin = 8 * 1024 * 1024;
constexpr std::size_t kTraits = 4096;

std::size_t shards_for(std::uint64_t bytes) {
  return std::clamp<std::size_t>(std::bit_floor(bytes / kShardMin), 1, kShardsMax);
}

}  // namespace

struct MemoryStore::Shard {
  explicit Shard(std::size_t most) : eviction(most), most_(most) {}

  mutable std::mutex mutex;
  Resources resources;
  Eviction eviction;
  std::size_t most_;
  std::array<Trait, kTraits> traits{};

  Trait& trait(const Digest& digest) { return traits[digest.low >> 8 & (kTraits - 1)]; }
  // Of another URL it begins anew.
  Trait& trait_of(const Digest& digest) {
    Trait& found = trait(digest);
    if (found.high != digest.high) found = {digest.high, 0, 0};
    return found;
  }
};

MemoryStore::MemoryStore(std::uint64_t bytes) : bytes_max_(bytes) {
  const std::size_t count = shards_for(bytes);
  for (std::size_t i = 0; i < count; ++i) shards_.push_back(std::make_unique<Shard>(bytes / count));
}

MemoryStore::~MemoryStore() = default;

MemoryStore::Shard& MemoryStore::shard_of(const Digest& digest) const {
  return *shards_[digest.high & (shards_.size() - 1)];
}

bool fits(const Meta& meta, const Wanted& wanted) {
  return cache::misfit_of(meta, wanted.key, wanted.request, wanted.range) == cache::Misfit::kNone;
}

bool MemoryStore::fits(const Entry& entry, const Wanted& wanted) {
  return storage::fits(entry.meta(), wanted) && !entry.content()->has_failed();
}

// Of several that fit the newest (RFC 9111 4.1), but a whole one before parts.
MemoryStore::Node* MemoryStore::best(Resource& resource, const Wanted& wanted) {
  Node* found = nullptr;
  for (const auto& node : resource.nodes) {
    if (!fits(*node->entry, wanted)) continue;
    const bool is_worse = found != nullptr && node->entry->meta().part && !found->entry->meta().part;
    if (!is_worse) found = node.get();
  }
  return found;
}

EntryPtr MemoryStore::find(const Wanted& wanted) {
  Shard& shard = shard_of(wanted.key.digest);
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.resources.find(wanted.key.digest);
  if (found == shard.resources.end()) return nullptr;
  Node* const node = best(found->second, wanted);
  if (node == nullptr) return nullptr;
  shard.eviction.use(*node);
  ++node->hits;
  return node->entry;
}

void MemoryStore::take_out(Shard& shard, Resource& resource, std::size_t index, Gone& gone) {
  shard.eviction.remove(*resource.nodes[index]);
  gone.push_back(std::move(resource.nodes[index]));
  resource.nodes.erase(resource.nodes.begin() + static_cast<std::ptrdiff_t>(index));
  counts_.objects.fetch_sub(1, std::memory_order_relaxed);
}

void MemoryStore::make_room(Shard& shard, Gone& gone) {
  while (shard.eviction.is_over()) {
    auto* const node = static_cast<Node*>(shard.eviction.evict());
    if (node == nullptr) return;
    const auto found = shard.resources.find(node->key);
    auto& nodes = found->second.nodes;
    const auto at = std::ranges::find(nodes, node, &std::unique_ptr<Node>::get);
    gone.push_back(std::move(*at));
    nodes.erase(at);
    counts_.objects.fetch_sub(1, std::memory_order_relaxed);
    counts_.evicted.fetch_add(1, std::memory_order_relaxed);
    if (found->second.is_empty()) shard.resources.erase(found);
  }
}

bool MemoryStore::insert(const EntryPtr& entry, const EntryPtr& replaces, const Flight* flight) {
  const Digest digest = Digest::of(entry->meta().key);
  Shard& shard = shard_of(digest);
  const std::size_t cost = entry->cost();
  if (cost > shard.most_) return false;
  Gone gone;
  const std::lock_guard lock(shard.mutex);
  if (flight != nullptr && flight->is_outdated()) return false;
  Resource& resource = shard.resources[digest];
  const auto is_replaced = [&](const Entry& old) {
    return &old == replaces.get() ||
           (old.meta().key == entry->meta().key && old.meta().extras == entry->meta().extras &&
            old.meta().variant == entry->meta().variant &&
            (!entry->meta().part || (old.meta().part && old.meta().part->range == entry->meta().part->range)));
  };
  std::uint64_t hits = 0;
  bool was_in_use = false;
  for (std::size_t i = resource.nodes.size(); i-- > 0;) {
    if (!is_replaced(*resource.nodes[i]->entry)) continue;
    hits = std::max(hits, resource.nodes[i]->hits);
    was_in_use = was_in_use || resource.nodes[i]->queue == Eviction::Link::Queue::kMain;
    take_out(shard, resource, i, gone);
  }
  if (resource.nodes.size() >= kVariantsMax) take_out(shard, resource, 0, gone);
  auto node = std::make_unique<Node>();
  node->key = digest;
  node->digest = digest.low;
  node->cost = cost;
  node->entry = entry;
  node->hits = hits;
  shard.eviction.insert(*node, was_in_use);
  resource.nodes.push_back(std::move(node));
  counts_.objects.fetch_add(1, std::memory_order_relaxed);
  make_room(shard, gone);
  return true;
}

void MemoryStore::settle(const EntryPtr& entry) { settle(Digest::of(entry->meta().key)); }

void MemoryStore::settle(const Digest& digest) {
  Shard& shard = shard_of(digest);
  Gone gone;
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.resources.find(digest);
  if (found == shard.resources.end()) return;
  auto& nodes = found->second.nodes;
  for (std::size_t i = nodes.size(); i-- > 0;) {
    if (const std::size_t cost = nodes[i]->entry->cost(); cost <= shard.most_) {
      shard.eviction.set_cost(*nodes[i], cost);
    } else {
      take_out(shard, found->second, i, gone);
    }
  }
  if (found->second.is_empty()) shard.resources.erase(found);
  make_room(shard, gone);
}

// By what the newest answer varies, as the next one will very likely vary by the same.
std::string MemoryStore::flight_variant(const Resource& resource, const Wanted& wanted) {
  std::string text(wanted.key.text);
  text += wanted.key.extras;
  if (!resource.nodes.empty()) {
    for (const cache::VaryField& field : resource.nodes.back()->entry->meta().variant) {
      text += '\n';
      text += field.name;
      text += ':';
      text += cache::normalized(wanted.request, field.name);
    }
  }
  if (wanted.is_on_disk) text += "\ndisk";
  if (wanted.range) {
    text += "\nrange:";
    if (wanted.range->first) text += std::to_string(*wanted.range->first);
    text += '-';
    if (wanted.range->last) text += std::to_string(*wanted.range->last);
  }
  return text;
}

MemoryStore::Joined MemoryStore::join(const Wanted& wanted, const EntryPtr& seen) {
  Shard& shard = shard_of(wanted.key.digest);
  const std::lock_guard lock(shard.mutex);
  Resource& resource = shard.resources[wanted.key.digest];
  if (const Node* node = best(resource, wanted); node != nullptr && node->entry != seen) {
    return {nullptr, false, node->entry};
  }
  std::string variant = flight_variant(resource, wanted);
  for (const FlightPtr& flight : resource.flights) {
    if (flight->variant() == variant) return {flight, false, nullptr};
  }
  resource.flights.push_back(std::make_shared<Flight>(wanted.key.digest, std::move(variant)));
  return {resource.flights.back(), true, nullptr};
}

void MemoryStore::close(const Flight& flight) {
  Shard& shard = shard_of(flight.digest());
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.resources.find(flight.digest());
  if (found == shard.resources.end()) return;
  std::erase_if(found->second.flights, [&](const FlightPtr& each) { return each.get() == &flight; });
  if (found->second.is_empty()) shard.resources.erase(found);
}

std::uint32_t MemoryStore::count_use(const Digest& digest) {
  Shard& shard = shard_of(digest);
  const std::lock_guard lock(shard.mutex);
  return ++shard.trait_of(digest).uses;
}

void MemoryStore::note_private(const Digest& digest, std::int64_t until_ms) {
  Shard& shard = shard_of(digest);
  const std::lock_guard lock(shard.mutex);
  shard.trait_of(digest).private_until_ms = until_ms;
}

bool MemoryStore::is_private(const Digest& digest, std::int64_t now_ms) const {
  Shard& shard = shard_of(digest);
  const std::lock_guard lock(shard.mutex);
  const Trait& trait = shard.trait(digest);
  return trait.high == digest.high && trait.private_until_ms > now_ms;
}

template <typename Matches>
std::uint64_t MemoryStore::purge_from(Shard& shard, Resource& resource, bool is_soft, Gone& gone, Matches matches) {
  std::uint64_t count = 0;
  for (std::size_t i = resource.nodes.size(); i-- > 0;) {
    if (!matches(*resource.nodes[i]->entry)) continue;
    ++count;
    if (is_soft) {
      resource.nodes[i]->entry->mark_stale();
    } else {
      take_out(shard, resource, i, gone);
    }
  }
  return count;
}

void MemoryStore::remove(const EntryPtr& entry) {
  const Digest digest = Digest::of(entry->meta().key);
  Shard& shard = shard_of(digest);
  Gone gone;
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.resources.find(digest);
  if (found == shard.resources.end()) return;
  purge_from(shard, found->second, false, gone, [&](const Entry& each) { return &each == entry.get(); });
  if (found->second.is_empty()) shard.resources.erase(found);
}

void MemoryStore::forget_files(const Digest& digest) {
  Shard& shard = shard_of(digest);
  Gone gone;
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.resources.find(digest);
  if (found == shard.resources.end()) return;
  purge_from(shard, found->second, false, gone, [](const Entry& each) { return each.content()->leans_on_file(); });
  if (found->second.is_empty()) shard.resources.erase(found);
}

std::uint64_t MemoryStore::purge(const Purge& purge) {
  std::uint64_t count = 0;
  for (const auto& shard : shards_) {
    Gone gone;
    const std::lock_guard lock(shard->mutex);
    for (auto each = shard->resources.begin(); each != shard->resources.end();) {
      Resource& resource = each->second;
      resource.flights.clear();
      count += purge_from(*shard, resource, purge.is_soft, gone,
                          [&](const Entry& entry) { return purge.matches(entry.meta()); });
      each = resource.is_empty() ? shard->resources.erase(each) : std::next(each);
    }
  }
  return count;
}

std::uint64_t MemoryStore::purge_key(const Digest& digest, std::string_view text, bool is_soft) {
  Shard& shard = shard_of(digest);
  Gone gone;
  const std::lock_guard lock(shard.mutex);
  const auto found = shard.resources.find(digest);
  if (found == shard.resources.end()) return 0;
  for (const FlightPtr& flight : found->second.flights) flight->outdate();
  found->second.flights.clear();
  const std::uint64_t count =
      purge_from(shard, found->second, is_soft, gone, [&](const Entry& entry) { return entry.meta().key == text; });
  if (found->second.is_empty()) shard.resources.erase(found);
  return count;
}

void MemoryStore::for_each(const std::function<void(const Row&)>& visit) const {
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    for (const auto& [digest, resource] : shard->resources) {
      for (const auto& node : resource.nodes) visit({node->entry, node->hits});
    }
  }
}

std::uint64_t MemoryStore::bytes() const {
  std::uint64_t total = 0;
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    total += shard->eviction.cost();
  }
  return total;
}

}  // namespace rproxy::storage
