// Purges whose files may still be there: what they match counts as gone, or as stale, from the moment they are added. The list is on the disk as
// well, where each is appended and synced; it is written anew, without those whose files have been gone through.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "storage/disk_layout.h"
#include "storage/disk_system.h"
#include "storage/terms.h"

namespace rproxy::storage {

struct DiskPurge {
  std::int64_t at_ms = 0;  // of what was asked for until then
  Purge purge;             // of kUrl, or
  bool is_key = false;     // `what` is a key's text
  bool matches(const Meta& meta) const {
    return meta.requested_ms <= at_ms && (is_key ? meta.key == purge.what : purge.matches(meta));
  }
};

enum class Purged : std::uint8_t { kNo, kStale, kGone };

// Any thread.
class DiskPurges {
 public:
  // Beyond so many, all that is older than the newest counts as purged.
  static constexpr std::size_t kMost = 4096;
  static constexpr std::size_t kKeysMost = 65'536;
  static constexpr std::size_t kWhatMax = 1 << 20;  // bytes; longer ones match nothing that is stored

  // An answer that is being written: what is purged meanwhile is not to be stored, however long it takes.
  class Watch {
   public:
    Watch(DiskPurges& purges, const Meta& meta);
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch();
    Purged purged() const { return purged_.load(std::memory_order_acquire); }

   private:
    friend class DiskPurges;
    DiskPurges& purges_;
    const Meta& meta_;
    std::atomic<Purged> purged_{Purged::kNo};
    std::list<Watch*>::iterator at_;
  };

  DiskPurges(const DiskSystem& system, const DiskLayout& layout) : system_(system), layout_(layout) {}

  // What an earlier process has left.
  Result<void> load();
  struct Added {
    std::uint64_t number = 0;
    bool met_writing = false;  // it matches what is being written
  };
  // In force at once.
  Added add(DiskPurge purge);
  // They are on the disk, or they may not be in force after a restart.
  Result<void> persist(const std::vector<DiskPurge>& purges);

  Purged of(const Meta& meta) const;
  bool is_empty() const;
  std::uint64_t newest() const;

  // The files of a key have been gone through, or all of those up to that number.
  void settle_key(const std::string& key, std::uint64_t number);
  void settle(std::uint64_t number);
  // Changes before what is settled is no longer in force: who has opened a file and finds no purge of it looks again whether it is there.
  std::uint64_t settlings() const { return settlings_.load(std::memory_order_acquire); }
  // Leaves on the disk those that are in force. Where power fails afterwards those that were there before may be back, unless they must not.
  enum class Last : std::uint8_t { kNo, kYes };
  Result<void> compact(Last last = Last::kNo);
  // Whether much of what is on the disk is settled.
  bool is_bloated() const;

  // For who reads beside a running process. What is torn at the end is left out.
  static std::vector<DiskPurge> read(const DiskSystem& system, const DiskLayout& layout);

 private:
  struct Numbered {
    std::uint64_t number = 0;
    DiskPurge purge;
  };
  // Of one key. A soft purge takes nothing from a hard one before it.
  struct OfKey {
    std::uint64_t number = 0;
    std::optional<std::int64_t> gone_ms;
    std::optional<std::int64_t> stale_ms;
  };
  void add_locked(DiskPurge purge);
  void collapse_locked(std::int64_t at_ms);
  Purged of_locked(const Meta& meta) const;
  std::string records_locked() const;

  const DiskSystem& system_;
  const DiskLayout& layout_;
  mutable std::mutex mutex_;
  std::vector<Numbered> list_;
  std::unordered_map<std::string, OfKey> keys_;
  std::list<Watch*> watches_;
  std::uint64_t number_ = 0;
  std::atomic<std::uint64_t> settlings_{0};
  std::atomic<std::int64_t> newest_ms_{
      std::numeric_limits<std::int64_t>::min()};  // what was asked for later needs no look at the list

  std::mutex file_mutex_;  // before mutex_
  Fd file_;
  bool is_torn_ = false;
  std::atomic<std::uint64_t> file_size_{0};
};

}  // namespace rproxy::storage
