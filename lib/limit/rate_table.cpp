#include "limit/rate_table.h"

namespace rproxy::limit {
namespace {

constexpr std::uint64_t kWasRefused = 1;

constexpr std::uint64_t tat_of(std::uint64_t word) { return word >> 1; }
constexpr std::uint64_t word_of(std::uint64_t tat, bool was_refused) { return tat << 1 | (was_refused ? 1 : 0); }

// Words are below 2^63.
constexpr std::uint64_t rate_rank(std::uint64_t word, std::uint64_t now) {
  if (tat_of(word) <= now) return 0;
  return word | (word & kWasRefused) << 63;
}

}  // namespace

Decision RateTable::decide(const Gcra& limit, Key key, TimePoint now, std::uint32_t cost) {
  const std::uint64_t at = nanoseconds_of(now);
  if (const auto known = table_.glimpse(key); known.is_found()) {
    const std::uint64_t word = known.state().load();
    const auto [decision, tat] = limit.decide(tat_of(word), at, cost);
    const std::uint64_t next = word_of(tat, !decision.allowed);
    if (next == word ? known.holds() : known.replace(State(next))) return decision;
  }
  auto slot = table_.lock(key);
  const std::uint64_t known = slot.is_found() ? tat_of(slot.state().load()) : 0;
  const auto [decision, tat] = limit.decide(known, at, cost);
  if (!slot.is_found()) {
    if (tat == 0) return decision;  // nothing to remember
    slot.claim([at](const State& state) { return rate_rank(state.load(), at); });
  }
  slot.state() = State(word_of(tat, !decision.allowed));
  return decision;
}

Decision RateTable::peek(const Gcra& limit, Key key, TimePoint now, std::uint32_t cost) const {
  return limit.decide(tat_of(table_.read(key).load()), nanoseconds_of(now), cost).decision;
}

void RateTable::forget(Key key) {
  const auto slot = table_.lock(key);
  if (slot.is_found()) slot.state() = State();
}

std::size_t RateTable::count(TimePoint now) const {
  const std::uint64_t at = nanoseconds_of(now);
  std::size_t sum = 0;
  table_.each([&](const State& state) { sum += tat_of(state.load()) > at ? 1 : 0; });
  return sum;
}

}  // namespace rproxy::limit
