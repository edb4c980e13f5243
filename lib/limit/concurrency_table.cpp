#include "limit/concurrency_table.h"

namespace rproxy::limit {

std::optional<ConcurrencyTable::Permit> ConcurrencyTable::try_acquire(Key key, std::uint32_t max) {
  if (max == 0) return std::nullopt;
  auto slot = table_.lock(key);
  if (!slot.is_found() && !slot.claim([](std::uint32_t count) { return count; }, 0)) {
    uncounted_.fetch_add(1, std::memory_order_relaxed);
    return Permit(nullptr, key);
  }
  if (slot.state() >= max) return std::nullopt;
  ++slot.state();
  return Permit(this, key);
}

void ConcurrencyTable::release(Key key) {
  const auto slot = table_.lock(key);
  --slot.state();  // who has a permit has a place
}

std::uint32_t ConcurrencyTable::in_use(Key key) const {
  const auto slot = table_.lock(key);
  return slot.is_found() ? slot.state() : 0;
}

std::size_t ConcurrencyTable::count() const {
  std::size_t sum = 0;
  table_.each([&](std::uint32_t count) { sum += count != 0 ? 1 : 0; });
  return sum;
}

}  // namespace rproxy::limit
