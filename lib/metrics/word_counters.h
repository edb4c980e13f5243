// Counters by words that the code has, and nobody else chooses: how exchanges ended. Which there are is learnt as they come.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>

#include "metrics/counter.h"

namespace rproxy::metrics {

class WordCounters {
 public:
  static constexpr std::size_t kWordsMax = 32;
  static constexpr std::string_view kOther = "other";

  // By the counters' own thread. `word` lives for ever. Those over the number are counted together.
  void count(std::string_view word);

  using Totals = std::map<std::string_view, std::uint64_t>;
  // By any thread, on top of what `totals` has.
  friend Totals& operator+=(Totals& totals, const WordCounters& counters);

 private:
  struct Entry {
    std::string_view word;  // set before `size_` tells of it
    Counter count;
  };
  std::array<Entry, kWordsMax> entries_;
  std::atomic<std::size_t> size_{0};
  Counter other_;
};

}  // namespace rproxy::metrics
