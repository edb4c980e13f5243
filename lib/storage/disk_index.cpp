#include "storage/disk_index.h"

#include <algorithm>
#include <utility>

namespace rproxy::storage {
namespace {

constexpr std::uint32_t kNone = 0xffffffff;
constexpr std::size_t kBlock = 256;
constexpr std::uint64_t kUsesMax = 3;

struct Slot {
  Digest digest;
  std::uint64_t bytes : 56;
  std::uint64_t uses : 2;
  std::uint64_t is_taken : 1;
  std::uint64_t is_verified : 1;
  std::uint32_t variant;
  std::uint32_t next;  // of the same place in the table, or of those that are free
  std::uint32_t received_s;
  std::uint32_t useless_s;
};
static_assert(sizeof(Slot) == 40);

DiskIndex::Item item_of(const Slot& slot) {
  return {{slot.digest, slot.variant}, slot.bytes, slot.received_s, slot.useless_s, slot.is_verified != 0};
}

}  // namespace

class DiskIndex::Shard {
 public:
  std::mutex mutex;

  Slot* find(const DiskName& name) {
    for (std::uint32_t at = first(name.digest); at != kNone; at = slot(at).next) {
      if (slot(at).digest == name.digest && slot(at).variant == name.variant) return &slot(at);
    }
    return nullptr;
  }

  bool contains(const Digest& digest) {
    for (std::uint32_t at = first(digest); at != kNone; at = slot(at).next) {
      if (slot(at).digest == digest) return true;
    }
    return false;
  }

  void find_all(const Digest& digest, std::vector<Item>& out) {
    for (std::uint32_t at = first(digest); at != kNone; at = slot(at).next) {
      if (slot(at).digest == digest) out.push_back(item_of(slot(at)));
    }
  }

  Slot& insert(const DiskName& name) {
    if (count_ >= table_.size()) grow();
    if (free_ == kNone) add_block();
    const std::uint32_t at = free_;
    Slot& taken = slot(at);
    free_ = taken.next;
    std::uint32_t& head = table_[place(name.digest)];
    taken = {name.digest, 0, 0, 1, 0, name.variant, head, 0, 0};
    head = at;
    ++count_;
    return taken;
  }

  void erase(const DiskName& name) {
    std::uint32_t* link = &table_[place(name.digest)];
    while (slot(*link).digest != name.digest || slot(*link).variant != name.variant) link = &slot(*link).next;
    const std::uint32_t at = *link;
    *link = slot(at).next;
    slot(at).is_taken = 0;
    slot(at).next = free_;
    free_ = at;
    --count_;
  }

  // Each turn takes a use from each, so that it finds one at the fourth.
  Slot* next_to_go(std::uint32_t now_s) {
    if (count_ == 0) return nullptr;
    for (;; ++hand_) {
      if (hand_ >= blocks_.size() * kBlock) hand_ = 0;
      Slot& here = slot(hand_);
      if (here.is_taken == 0) continue;
      if (here.uses == 0 || here.useless_s <= now_s) return &here;
      --here.uses;
    }
  }

  std::size_t cost() const {
    return blocks_.size() * kBlock * sizeof(Slot) + table_.capacity() * sizeof(std::uint32_t) +
           blocks_.capacity() * sizeof(blocks_[0]);
  }

 private:
  Slot& slot(std::uint32_t at) { return blocks_[at / kBlock][at % kBlock]; }
  std::size_t place(const Digest& digest) const { return DigestHash{}(digest) / kShards & (table_.size() - 1); }
  std::uint32_t first(const Digest& digest) const { return table_.empty() ? kNone : table_[place(digest)]; }

  void grow() {
    table_ = std::vector<std::uint32_t>(std::max<std::size_t>(table_.size() * 2, kBlock), kNone);
    for (std::uint32_t at = 0; at < blocks_.size() * kBlock; ++at) {
      if (slot(at).is_taken != 0) slot(at).next = std::exchange(table_[place(slot(at).digest)], at);
    }
  }

  void add_block() {
    const auto begin = static_cast<std::uint32_t>(blocks_.size() * kBlock);
    blocks_.push_back(std::make_unique<Slot[]>(kBlock));
    for (std::uint32_t at = begin + kBlock; at-- > begin;) slot(at).next = std::exchange(free_, at);
  }

  std::vector<std::unique_ptr<Slot[]>> blocks_;
  std::vector<std::uint32_t> table_;
  std::uint32_t free_ = kNone;
  std::uint32_t hand_ = 0;
  std::size_t count_ = 0;
};

DiskIndex::DiskIndex() {
  for (auto& shard : shards_) shard = std::make_unique<Shard>();
}

DiskIndex::~DiskIndex() = default;

void DiskIndex::counted(std::int64_t files, std::int64_t bytes) {
  count_.fetch_add(static_cast<std::uint64_t>(files), std::memory_order_relaxed);
  bytes_.fetch_add(static_cast<std::uint64_t>(bytes), std::memory_order_relaxed);
}

void DiskIndex::put(const Item& item) {
  Shard& shard = shard_of(item.name.digest);
  const std::lock_guard lock(shard.mutex);
  Slot* slot = shard.find(item.name);
  const bool is_new = slot == nullptr;
  if (is_new) slot = &shard.insert(item.name);
  counted(is_new ? 1 : 0, static_cast<std::int64_t>(item.bytes) - static_cast<std::int64_t>(slot->bytes));
  slot->bytes = item.bytes;
  slot->received_s = item.received_s;
  slot->useless_s = item.useless_s;
  slot->is_verified = item.is_verified ? 1 : 0;
}

bool DiskIndex::put_if_new(const Item& item) {
  if (contains(item.name)) return false;
  put(item);
  return true;
}

bool DiskIndex::erase(const DiskName& name) {
  Shard& shard = shard_of(name.digest);
  const std::lock_guard lock(shard.mutex);
  const Slot* const slot = shard.find(name);
  if (slot == nullptr) return false;
  counted(-1, -static_cast<std::int64_t>(slot->bytes));
  shard.erase(name);
  return true;
}

bool DiskIndex::contains(const DiskName& name) const {
  Shard& shard = shard_of(name.digest);
  const std::lock_guard lock(shard.mutex);
  return shard.find(name) != nullptr;
}

bool DiskIndex::contains(const Digest& digest) const {
  Shard& shard = shard_of(digest);
  const std::lock_guard lock(shard.mutex);
  return shard.contains(digest);
}

void DiskIndex::use(const DiskName& name) {
  Shard& shard = shard_of(name.digest);
  const std::lock_guard lock(shard.mutex);
  Slot* const slot = shard.find(name);
  if (slot != nullptr && slot->uses < kUsesMax) slot->uses = slot->uses + 1;
}

void DiskIndex::set_verified(const DiskName& name) {
  Shard& shard = shard_of(name.digest);
  const std::lock_guard lock(shard.mutex);
  if (Slot* const slot = shard.find(name)) slot->is_verified = 1;
}

std::vector<DiskIndex::Item> DiskIndex::find(const Digest& digest) const {
  std::vector<Item> found;
  Shard& shard = shard_of(digest);
  {
    const std::lock_guard lock(shard.mutex);
    shard.find_all(digest, found);
  }
  std::ranges::sort(found, std::greater<>(), &Item::received_s);
  return found;
}

std::optional<DiskIndex::Item> DiskIndex::evict(std::uint32_t now_s) {
  for (std::size_t tries = 0; tries < kShards; ++tries) {
    Shard& shard = *shards_[hand_.fetch_add(1, std::memory_order_relaxed) % kShards];
    const std::lock_guard lock(shard.mutex);
    const Slot* const slot = shard.next_to_go(now_s);
    if (slot == nullptr) continue;
    const Item item = item_of(*slot);
    counted(-1, -static_cast<std::int64_t>(item.bytes));
    shard.erase(item.name);
    return item;
  }
  return std::nullopt;
}

std::size_t DiskIndex::cost() const {
  std::size_t sum = sizeof(*this);
  for (const auto& shard : shards_) {
    const std::lock_guard lock(shard->mutex);
    sum += sizeof(Shard) + shard->cost();
  }
  return sum;
}

}  // namespace rproxy::storage
