// Who may do how much, for millions of keys in memory that is allocated once. Belongs to no configuration: limits come
// and go, their states stay.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "limit/gcra.h"
#include "limit/key_table.h"

namespace rproxy::limit {

// Any thread; exact, whichever threads ask. Who is refused again and again costs no write: a flood of one key does not
// keep the threads waiting for each other.
//
// A key whose bucket is full again is as good as forgotten, and makes room for another at no loss. Where there is none,
// the one that is full again first goes, and those who were refused since they were last let in go after all others: a
// flood of keys that come once can't wash away who is being held off.
class RateTable {
  using State = SharedNumber<std::uint64_t>;  // the TAT, and in the lowest bit whether the key was refused since

 public:
  static constexpr std::size_t kBytesPerKey = KeyTable<State>::kBytesPerKey;

  // Room for so many keys that have something to remember at the same time.
  explicit RateTable(std::size_t keys) : table_(keys) {}

  // Takes `cost` of the key's bucket if that has so much.
  Decision decide(const Gcra& limit, Key key, TimePoint now, std::uint32_t cost = 1);
  // The same, without taking anything.
  Decision peek(const Gcra& limit, Key key, TimePoint now, std::uint32_t cost = 1) const;
  // As if it had not been seen.
  void forget(Key key);

  std::size_t bytes() const { return table_.bytes(); }
  // Those with something to remember; reads all of the table.
  std::size_t count(TimePoint now) const;
  // States lost because there were more keys than there is room for.
  std::uint64_t evictions() const { return table_.evictions(); }

 private:
  KeyTable<State> table_;
};

static_assert(RateTable::kBytesPerKey == 24);

}  // namespace rproxy::limit
