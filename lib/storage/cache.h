// All that is cached, for all workers, from one configuration to the next: where answers are stored, and what is forgotten.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/units.h"
#include "cache/search_rule.h"
#include "storage/memory_store.h"
#include "storage/terms.h"

namespace rproxy::storage {

struct Options {
  ByteSize memory = 128_MiB;
  ByteSize object_max = 8_MiB;   // larger ones are not stored
  Duration private_for{10'000};  // how long requests for what can't be shared don't wait for each other
  bool operator==(const Options&) const = default;
};

// Any thread.
class Cache {
 public:
  explicit Cache(const Options& options);

  MemoryStore& memory() { return memory_; }
  const Options& options() const { return options_; }

  // Stores what has been fetched, unless it was purged since it was asked for: false.
  // `purges`: what purges() was when it was asked for.
  bool insert(const EntryPtr& entry, const EntryPtr& replaces, const Flight& flight, std::uint64_t purges);
  // How many there have been of more than a URL, whose flights are told.
  std::uint64_t purges() const { return purges_.load(); }

  // At once, on all workers; how many answers there were.
  std::uint64_t purge(const Purge& purge);
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

  const Options options_;
  MemoryStore memory_;
  std::atomic<std::int64_t> filling_{0};
  mutable std::mutex mutex_;
  std::vector<std::string> scopes_;
  std::unordered_map<Digest, cache::SearchRule, DigestHash> rules_;  // by the text of keys, without their queries
  std::atomic<bool> has_rules_{false};
  std::deque<Purged> purged_;  // lately, the newest last; those of one URL tell its flights
  std::atomic<std::uint64_t> purges_{0};
  std::uint64_t forgotten_ = 0;  // the number of the newest that is remembered no more
};

}  // namespace rproxy::storage
