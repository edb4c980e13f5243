#include "limit/concurrency_table.h"

namespace rproxy::limit {

std::optional<ConcurrencyTable::Permit> ConcurrencyTable::try_acquire(Key key, std::uint32_t max) {
  if (max == 0) return std::nullopt;
  if (const auto known = table_.glimpse(key); known.is_found()) {
    const std::uint32_t count = known.state().load();
    if (count >= max) {
      if (known.holds()) return std::nullopt;
    } else if (known.replace(Count(count + 1))) {
      return Permit(this, key);
    }
  }
  auto slot = table_.lock(key);
  if (!slot.is_found() && !slot.claim([](const Count& count) { return count.load(); }, 0)) {
    uncounted_.fetch_add(1, std::memory_order_relaxed);
    return Permit(nullptr, key);
  }
  const std::uint32_t count = slot.state().load();
  if (count >= max) return std::nullopt;
  slot.state() = Count(count + 1);
  return Permit(this, key);
}

void ConcurrencyTable::release(Key key) {
  const auto slot = table_.lock(key);
  slot.state() = Count(slot.state().load() - 1);  // who has a permit has a place
}

std::size_t ConcurrencyTable::count() const {
  std::size_t sum = 0;
  table_.each([&](const Count& count) { sum += count.load() != 0 ? 1 : 0; });
  return sum;
}

}  // namespace rproxy::limit
