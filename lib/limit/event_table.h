// Counts events of keys (failed logins, requests for what is not there) in a window of time, to tell when they are too
// many.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "limit/key_table.h"

namespace rproxy::limit {

// So many events within so long.
struct EventLimit {
  static constexpr Duration kWithinMin{8};
  static constexpr Duration kWithinMax{std::chrono::hours(24 * 366)};

  std::uint16_t events = 10;  // at least 1
  Duration within{60'000};    // what is out of bounds is taken for the bound
  bool operator==(const EventLimit&) const = default;
};

// Any thread; exact, whichever threads ask.
//
// A window slides in eighths: what is counted is never older than `within`, and all that is not older than seven
// eighths of it is counted.
class EventTable {
  struct Window {
    std::uint64_t ends = 0;  // nanoseconds: when all of it is too old
    std::array<std::uint16_t, 8> counts{};
  };

 public:
  static constexpr std::size_t kBytesPerKey = KeyTable<Window>::kBytesPerKey;

  // Room for so many keys that had an event within their window. Where there is none, those with a single event go
  // before all others, and the oldest before newer ones.
  explicit EventTable(std::size_t keys) : table_(keys) {}

  // Counts `events` more. True: that makes as many as the limit has, and the count begins anew, so that it is told
  // once.
  bool record(Key key, const EventLimit& limit, TimePoint now, std::uint16_t events = 1);
  // As of now; of what is recorded under the same `within`.
  std::uint32_t count(Key key, const EventLimit& limit, TimePoint now) const;
  void forget(Key key);

  std::size_t bytes() const { return table_.bytes(); }
  // Windows lost because there were more keys than there is room for.
  std::uint64_t evictions() const { return table_.evictions(); }

 private:
  static std::uint64_t rank_of(const Window& window, std::uint64_t now);
  static void slide(Window& window, std::uint64_t eighth, std::uint64_t now);
  static std::uint32_t sum_of(const Window& window);

  KeyTable<Window> table_;
};

static_assert(EventTable::kBytesPerKey == 56);

}  // namespace rproxy::limit
