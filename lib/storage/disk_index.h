// What is on the disk, in memory: so much that a miss costs no disk access, and that it is known what to evict.
//
// 40 bytes a file, in blocks that stay where they are, and 4 to 8 of a table that leads to them: 44 to 48 in all. Who leaves is told by a
// clock: what was used since the hand last came by is spared. S3-FIFO (Eviction) does better against scans, but its links and ghosts
// would take 70 bytes more of each file.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "storage/disk_layout.h"

namespace rproxy::storage {

// Any thread.
class DiskIndex {
 public:
  struct Item {
    DiskName name;
    std::uint64_t bytes = 0;  // at most 2^56
    std::uint32_t received_s = 0;
    std::uint32_t useless_s = 0;  // from then on it goes at the next turn, used or not
    bool is_verified = false;     // its content need not be read to know that it is whole
  };

  DiskIndex();
  ~DiskIndex();
  DiskIndex(const DiskIndex&) = delete;
  DiskIndex& operator=(const DiskIndex&) = delete;

  // In the place of the one of that name.
  void put(const Item& item);
  // False: there is one of that name. Not beside another put() of it.
  bool put_if_new(const Item& item);
  bool erase(const DiskName& name);
  bool contains(const DiskName& name) const;
  bool contains(const Digest& digest) const;
  void use(const DiskName& name);
  void set_verified(const DiskName& name);
  // All of one URL; what was received last first.
  std::vector<Item> find(const Digest& digest) const;
  // The next to go, taken out.
  std::optional<Item> evict(std::uint32_t now_s);

  std::uint64_t count() const { return count_.load(std::memory_order_relaxed); }
  std::uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }
  // Of memory.
  std::size_t cost() const;

 private:
  static constexpr std::size_t kShards = 16;
  class Shard;

  Shard& shard_of(const Digest& digest) const { return *shards_[digest.high & (kShards - 1)]; }
  void counted(std::int64_t files, std::int64_t bytes);

  std::array<std::unique_ptr<Shard>, kShards> shards_;
  std::atomic<std::size_t> hand_{0};
  std::atomic<std::uint64_t> count_{0};
  std::atomic<std::uint64_t> bytes_{0};
};

}  // namespace rproxy::storage
