// The answers that are in memory, for all workers: in shards, each with a lock that is held for a look-up at most.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <vector>

#include "http/range.h"
#include "storage/eviction.h"
#include "storage/flight.h"
#include "storage/terms.h"

namespace rproxy::storage {

// Which of a URL's answers is wanted.
struct Wanted {
  const Key& key;
  const http::Fields& request;
  std::optional<http::RangeSpec> range;  // a part that covers it will do
  bool is_on_disk = false;               // of flights: what is looked for there
};
bool fits(const Meta& meta, const Wanted& wanted);

// Any thread.
class MemoryStore {
 public:
  // Answers to one URL that are kept beside each other; the oldest goes for another.
  static constexpr std::size_t kVariantsMax = 128;

  struct Counts {
    std::atomic<std::uint64_t> objects{0};
    std::atomic<std::uint64_t> evicted{0};
  };
  struct Row {
    EntryPtr entry;
    std::uint64_t hits = 0;
  };

  // Bytes, of which each shard has its part.
  explicit MemoryStore(std::uint64_t bytes);
  MemoryStore(const MemoryStore&) = delete;
  MemoryStore& operator=(const MemoryStore&) = delete;
  ~MemoryStore();

  static bool fits(const Entry& entry, const Wanted& wanted);
  // The newest that fits, counted as a use of it; null: none.
  EntryPtr find(const Wanted& wanted);

  // Instead of those that any of its requests would fit (`replaces`: this one in any case). Evicts what room it takes; what is too large for a
  // shard, or what an outdated flight has brought, is not stored: false.
  bool insert(const EntryPtr& entry, const EntryPtr& replaces = nullptr, const Flight* flight = nullptr);
  // Its content has grown; what is too large for a shard by now goes.
  void settle(const EntryPtr& entry);
  void remove(const EntryPtr& entry);
  // The same of all answers of a key, which may take more or less than they did.
  void settle(const Digest& digest);
  // Those of a key whose content is in files that are held open, or was to be.
  void forget_files(const Digest& digest);

  // ---- Flights.
  struct Joined {
    FlightPtr flight;
    bool leads = false;
    EntryPtr other;  // there is no flight: another answer than `seen` has come meanwhile
  };
  // The flight that brings what is wanted, or a new one that the caller is to make.
  Joined join(const Wanted& wanted, const EntryPtr& seen);
  // Nobody joins it any more.
  void close(const Flight& flight);

  // ---- What is known of URLs that have no answer here. Forgets, when many come.
  // Requests so far, this one included.
  std::uint32_t count_use(const Digest& digest);
  // Its answers can't be shared: requests for it don't wait for each other until then.
  void note_private(const Digest& digest, std::int64_t until_ms);
  bool is_private(const Digest& digest, std::int64_t now_ms) const;

  // How many there were. Nobody joins a flight any more that began before.
  std::uint64_t purge(const Purge& purge);
  // The same for one URL of one scope, without looking at all. Flights to it are outdated.
  std::uint64_t purge_key(const Digest& digest, std::string_view text, bool is_soft);

  // Of each shard in turn, under its lock: short work only.
  void for_each(const std::function<void(const Row&)>& visit) const;

  std::uint64_t bytes() const;
  // The largest content that is stored: no object takes more than half of a shard.
  std::uint64_t object_max() const { return bytes_max_ / shards_.size() / 2; }
  std::uint64_t bytes_max() const { return bytes_max_; }
  const Counts& counts() const { return counts_; }

 private:
  struct Node : Eviction::Link {
    Digest key;
    EntryPtr entry;
    std::uint64_t hits = 0;
  };
  struct Resource {
    std::vector<std::unique_ptr<Node>> nodes;  // the newest last
    std::vector<FlightPtr> flights;
    bool is_empty() const { return nodes.empty() && flights.empty(); }
  };
  using Resources = std::unordered_map<Digest, Resource, DigestHash>;
  // Of a URL that may or may not be stored, in a table that forgets.
  struct Trait {
    std::uint64_t high = 0;
    std::int64_t private_until_ms = 0;
    std::uint32_t uses = 0;
  };
  struct Shard;

  Shard& shard_of(const Digest& digest) const;
  static Node* best(Resource& resource, const Wanted& wanted);
  using Gone = std::vector<std::unique_ptr<Node>>;
  // Under the shard's lock. What has gone is given to `gone`, to be freed without it.
  void take_out(Shard& shard, Resource& resource, std::size_t index, Gone& gone);
  // Those of a resource for which it holds, or the mark where it is soft; how many there were.
  template <typename Matches>
  std::uint64_t purge_from(Shard& shard, Resource& resource, bool is_soft, Gone& gone, Matches matches);
  void make_room(Shard& shard, Gone& gone);
  static std::string flight_variant(const Resource& resource, const Wanted& wanted);

  const std::uint64_t bytes_max_;
  std::vector<std::unique_ptr<Shard>> shards_;
  Counts counts_;
};

}  // namespace rproxy::storage
