// All that is cached, for all workers, from one configuration to the next: in memory, and on the disk behind it, and what is forgotten in both.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/units.h"
#include "cache/search_rule.h"
#include "storage/disk_store.h"
#include "storage/form_improver.h"
#include "storage/memory_store.h"
#include "storage/terms.h"

namespace rproxy::storage {

struct Options {
  ByteSize memory = 128_MiB;
  ByteSize object_max = 8_MiB;   // larger ones are not in memory
  Duration private_for{10'000};  // how long requests for what can't be shared don't wait for each other
  std::optional<DiskOptions> disk;
  bool operator==(const Options&) const = default;
};

// Any thread.
class Cache final : private DiskListener, private FormImprover::Listener {
 public:
  // `disk`: null where there is none.
  explicit Cache(const Options& options, std::shared_ptr<DiskStore> disk = nullptr);
  ~Cache();

  MemoryStore& memory() { return memory_; }
  DiskStore* disk() { return disk_.get(); }
  const std::shared_ptr<DiskStore>& share_disk() const { return disk_; }
  const Options& options() const { return options_; }

  // Of content: in memory, and in all.
  std::uint64_t memory_object_max() const;
  std::uint64_t object_max() const;

  // Into memory, unless it was purged since it was asked for: false.
  // `purges`: what purges() was when it was asked for.
  bool insert(const EntryPtr& entry, const EntryPtr& replaces, const Flight& flight, std::uint64_t purges);
  // The same for what a 304 has brought: on the disk as well.
  bool replace(const EntryPtr& entry, const EntryPtr& replaces, const Flight& flight, std::uint64_t purges);
  void remove(const EntryPtr& entry);
  // Of an entry whose content has other forms by now: they count, too.
  void settle(const cache::Entry& entry) { memory_.settle(Digest::of(entry.meta().key)); }
  // A form that is asked for often gets smaller, in its time.
  void note_use(const EntryPtr& entry, cache::CodedForm& form);
  // False: it is not worth a look.
  bool may_be_on_disk(const Digest& digest) const { return disk_ != nullptr && disk_->may_have(digest); }

  // How many there have been of more than a URL, whose flights are told.
  std::uint64_t purges() const { return purges_.load(); }

  struct PurgeCount {
    std::uint64_t memory = 0;
    std::optional<std::uint64_t> disk;  // nothing: they are found in the background, or there is no disk
  };
  // At once, on all workers; how many answers there were. `held` is let go, on any thread, when it will be so after a restart, too.
  PurgeCount purge(const Purge& purge, std::int64_t now_ms, const std::shared_ptr<void>& held = nullptr);
  // By which routes know URLs. Few: those of configurations.
  void add_scope(const std::string& scope);

  // ---- Queries that an answer has said it does not depend on (No-Vary-Search).
  // The key that all of them share, in the arena; the key itself where nothing is known of its path.
  Key shared_key(const Key& key, Arena& arena) const;
  // From now on, for the path of the key.
  void learn(const Key& key, const cache::SearchRule& rule);

  // What comes of fetches that are under way, in memory.
  std::atomic<std::int64_t>& filling() { return filling_; }
  bool has_room_to_fill() const;

 private:
  struct Purged {
    std::uint64_t number;
    Purge purge;
  };
  void remember(const Purge& purge);
  // By one of those that came after so many.
  bool was_purged(const Meta& meta, std::uint64_t purges) const;
  std::vector<std::string> scopes() const;
  std::string shared_text(std::string_view key_text) const;

  void on_stored(const Digest& digest) override { memory_.settle(digest); }
  void on_improved(const cache::Entry& entry) override { settle(entry); }
  void on_removed(const Digest& digest) override { memory_.forget_files(digest); }

  const Options options_;
  MemoryStore memory_;
  const std::shared_ptr<DiskStore> disk_;
  std::atomic<std::int64_t> filling_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> scopes_;
  std::unordered_map<Digest, cache::SearchRule, DigestHash> rules_;  // by the text of keys, without their queries
  std::atomic<bool> has_rules_{false};
  std::deque<Purged> purged_;  // lately, the newest last; those of one URL tell its flights
  std::atomic<std::uint64_t> purges_{0};
  std::uint64_t forgotten_ = 0;  // the number of the newest that is remembered no more
  FormImprover improver_{*this};
};

}  // namespace rproxy::storage
