// The files of a store and what is known of them, kept in step: the part of it that does the work, on whichever thread may wait for the disk.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "storage/disk_content.h"
#include "storage/disk_counts.h"
#include "storage/disk_draft.h"
#include "storage/disk_health.h"
#include "storage/disk_index.h"
#include "storage/disk_purges.h"

namespace rproxy::storage {

struct DiskFound {
  Meta meta;
  bool is_stale = false;  // it counts as stale, whatever it says (Entry::mark_stale)
  std::shared_ptr<DiskContent> content;
  std::optional<std::string> loaded;  // all of it, where that was asked for
};

// Told what has been stored, and what is no longer found on the disk or was not stored after all, on a thread of the store and under a lock: it
// must not come back here.
class DiskListener {
 public:
  virtual void on_stored(const Digest& digest) = 0;
  virtual void on_removed(const Digest& digest) = 0;

 protected:
  ~DiskListener() = default;
};

// Any thread. All of it waits for the disk, but for `index` and `counts`.
class DiskShelf {
 public:
  // Answers to one URL beside each other, as in memory; the oldest goes for another.
  static constexpr std::size_t kVariantsMax = 128;

  struct Limits {
    std::uint64_t bytes = 0;
    std::uint64_t files = 0;
  };
  using Fits = std::function<bool(const Meta&)>;

  DiskShelf(const std::string& path, Limits limits, DiskHooks hooks)
      : system(std::move(hooks)),
        layout(path),
        health(system, counts),
        purges(system, layout),
        bytes_max_(limits.bytes),
        files_max_(limits.files) {}
  Result<void> open();
  void set_limits(Limits limits);
  Limits limits() const { return {bytes_max_, files_max_}; }

  // Content of at most `load_max` bytes comes along.
  std::optional<DiskFound> find(const Digest& digest, const std::string& key, const Fits& fits, std::uint64_t load_max);
  Result<std::string> read(DiskContent& content, std::uint64_t position, std::size_t size);

  // Of a draft that is whole. False: it has failed, or was purged meanwhile.
  bool place(DiskDraft& draft, const Meta& meta, const DiskPurges::Watch& watch);
  // Other terms for the same content, if it still is that of `old`.
  bool update(const Meta& old, const Meta& meta);

  bool remove(const DiskName& name);
  // Removes what is damaged or purged, marks what is stale, takes the rest into the index. False: the disk would not let it.
  bool examine(const DiskName& name, Purged at_least = Purged::kNo);
  bool examine_all_of(const Digest& digest);
  // Evicts what is beyond the limits.
  void make_room(std::int64_t now_ms);
  // False: it was damaged, and is gone.
  bool verify(const DiskName& name);

  void tell_stored(const Digest& digest);
  void tell_removed(const Digest& digest);
  void add_listener(DiskListener& listener);
  // It is told no more, nor is being told.
  void remove_listener(DiskListener& listener);

  const DiskSystem system;
  const DiskLayout layout;
  DiskCounts counts;
  DiskHealth health;
  DiskPurges purges;
  DiskIndex index;

 private:
  struct Replaced {
    const Fd* file = nullptr;  // no other than it
    bool is_verified = true;
  };
  // What changes a name in the directory and in the index, one at a time.
  std::mutex& lock_of(const DiskName& name) { return locks_[name.digest.low % locks_.size()]; }
  Result<std::vector<DiskIndex::Item>> candidates(const Digest& digest) const;
  std::optional<DiskFound> look_into(const DiskIndex::Item& item, const std::string& key);
  // Where `file` is still what is there.
  void remove_damaged(const DiskName& name, const Fd& file, const Error& error);
  bool remove_locked(const DiskName& name);
  bool examine_locked(const DiskName& name, Purged at_least);
  bool place_as(DiskDraft& draft, const Meta& meta, const DiskPurges::Watch& watch, const Replaced& replaced);
  void limit_variants(const Digest& digest);

  std::atomic<std::uint64_t> bytes_max_;
  std::atomic<std::uint64_t> files_max_;
  std::mutex listeners_mutex_;  // after those of names
  std::vector<DiskListener*> listeners_;
  std::array<std::mutex, 64> locks_;
  Fd lock_file_;
};

}  // namespace rproxy::storage
