// How many are under way at once, for each key, in memory that is allocated once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "limit/key_table.h"

namespace rproxy::limit {

// Any thread; exact, whichever threads ask. Outlives its permits. A refusal costs no write.
class ConcurrencyTable {
  using Count = SharedNumber<std::uint32_t>;

 public:
  static constexpr std::size_t kBytesPerKey = KeyTable<Count>::kBytesPerKey;

  // One of a key's, as long as it lives.
  class Permit {
   public:
    Permit(Permit&& other) noexcept : table_(std::exchange(other.table_, nullptr)), key_(other.key_) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(table_, other.table_);
      std::swap(key_, other.key_);
      return *this;
    }
    ~Permit() {
      if (table_ != nullptr) table_->release(key_);
    }
    // False: moved from, or one for which the table had no room.
    bool is_counted() const { return table_ != nullptr; }

   private:
    friend class ConcurrencyTable;
    Permit(ConcurrencyTable* table, Key key) : table_(table), key_(key) {}
    ConcurrencyTable* table_;
    Key key_;
  };

  // Room for so many keys that have something under way at the same time: who is bounded by the connections there may
  // be needs no more.
  explicit ConcurrencyTable(std::size_t keys) : table_(keys) {}

  // Nothing where `max` of the key are under way. Where the table has no room for one more key, the permit is not
  // counted: nobody is refused for that, unless the caller wants it so.
  std::optional<Permit> try_acquire(Key key, std::uint32_t max);

  std::uint32_t in_use(Key key) const { return table_.read(key).load(); }
  std::size_t bytes() const { return table_.bytes(); }
  std::size_t count() const;  // of keys with something under way; reads all of the table
  // Permits that were not counted.
  std::uint64_t uncounted() const { return uncounted_.load(std::memory_order_relaxed); }

 private:
  void release(Key key);

  KeyTable<Count> table_;
  std::atomic<std::uint64_t> uncounted_{0};
};

static_assert(ConcurrencyTable::kBytesPerKey == 16);

}  // namespace rproxy::limit
