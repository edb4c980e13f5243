#include "limit/event_table.h"

#include <algorithm>
#include <numeric>

#include "limit/gcra.h"

namespace rproxy::limit {
namespace {

constexpr std::uint64_t kEighths = 8;

std::uint64_t eighth_of(const EventLimit& limit) {
  const Duration within = std::clamp(limit.within, EventLimit::kWithinMin, EventLimit::kWithinMax);
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(within).count()) / kEighths;
}

}  // namespace

std::uint32_t EventTable::sum_of(const Window& window) {
  return std::accumulate(window.counts.begin(), window.counts.end(), std::uint32_t{0});
}

std::uint64_t EventTable::rank_of(const Window& window, std::uint64_t now) {
  if (window.ends <= now) return 0;
  return window.ends | std::uint64_t{sum_of(window) > 1} << 63;
}

// Leaves of it what is not too old, with the eighth of now as its last one: that is number ends / eighth - 8, and its
// count is at this number's place.
void EventTable::slide(Window& window, std::uint64_t eighth, std::uint64_t now) {
  const std::uint64_t ends = (now / eighth + kEighths) * eighth;
  // Another thread's clock was ahead, by some milliseconds at most.
  if (window.ends > ends && window.ends <= ends + eighth && window.ends % eighth == 0) return;
  if (window.ends % eighth != 0 || window.ends > ends || window.ends + kEighths * eighth <= ends) {
    window = {ends, {}};
    return;
  }
  for (; window.ends != ends; window.ends += eighth) window.counts[(window.ends / eighth + 1) % kEighths] = 0;
}

bool EventTable::record(Key key, const EventLimit& limit, TimePoint now, std::uint16_t events) {
  const std::uint64_t at = nanoseconds_of(now);
  const std::uint64_t eighth = eighth_of(limit);
  auto slot = table_.lock(key);
  if (!slot.is_found()) slot.claim([at](const Window& window) { return rank_of(window, at); });
  Window& window = slot.state();
  slide(window, eighth, at);
  std::uint16_t& last = window.counts[window.ends / eighth % kEighths];
  last = static_cast<std::uint16_t>(std::min(last + events, 0xffff));
  if (sum_of(window) < std::max<std::uint32_t>(limit.events, 1)) return false;
  window = {};
  return true;
}

std::uint32_t EventTable::count(Key key, const EventLimit& limit, TimePoint now) const {
  const auto slot = table_.lock(key);
  if (!slot.is_found()) return 0;
  Window window = slot.state();
  slide(window, eighth_of(limit), nanoseconds_of(now));
  return sum_of(window);
}

void EventTable::forget(Key key) {
  const auto slot = table_.lock(key);
  if (slot.is_found()) slot.state() = {};
}

}  // namespace rproxy::limit
