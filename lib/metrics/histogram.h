// How long something took, in fixed buckets: from what a backend next door needs to what a client waits at most.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include "metrics/counter.h"

namespace rproxy::metrics {

class Histogram {
 public:
  using Microseconds = std::chrono::microseconds;
  // The upper ends, which belong to their buckets; one more bucket takes the rest.
  static constexpr std::array<std::int64_t, 18> kBounds{
      100,     250,     500,     1'000,    2'500,    5'000,    10'000,     25'000,     50'000,
      100'000, 250'000, 500'000, 1000'000, 2500'000, 5000'000, 10'000'000, 30'000'000, 60'000'000};
  static constexpr std::size_t kBuckets = kBounds.size() + 1;

  // By the histogram's own thread. What is negative counts as nothing.
  void observe(Microseconds time);

  // By any. A reader may see an observation in its bucket and not yet in the sum.
  std::uint64_t bucket(std::size_t index) const { return buckets_.at(index).value(); }
  std::uint64_t count() const;
  Microseconds sum() const { return Microseconds(static_cast<std::int64_t>(sum_us_.value())); }
  Histogram& operator+=(const Histogram& other);

 private:
  std::array<Counter, kBuckets> buckets_;  // each by itself, not summed up
  Counter sum_us_;
};

}  // namespace rproxy::metrics
