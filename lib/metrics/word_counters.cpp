#include "metrics/word_counters.h"

namespace rproxy::metrics {

void WordCounters::count(std::string_view word) {
  const std::size_t size = size_.load(std::memory_order_relaxed);
  for (std::size_t i = 0; i < size; ++i) {
    if (entries_.at(i).word == word) return entries_.at(i).count.add();
  }
  if (size == kWordsMax) return other_.add();
  entries_.at(size).word = word;
  entries_.at(size).count.add();
  size_.store(size + 1, std::memory_order_release);
}

WordCounters::Totals& operator+=(WordCounters::Totals& totals, const WordCounters& counters) {
  const std::size_t size = counters.size_.load(std::memory_order_acquire);
  for (std::size_t i = 0; i < size; ++i) {
    totals[counters.entries_.at(i).word] += counters.entries_.at(i).count.value();
  }
  if (counters.other_.value() != 0) totals[WordCounters::kOther] += counters.other_.value();
  return totals;
}

}  // namespace rproxy::metrics
