#include "metrics/histogram.h"

#include <algorithm>

namespace rproxy::metrics {

void Histogram::observe(Microseconds time) {
  const std::int64_t us = std::max<std::int64_t>(0, time.count());
  const auto bound = std::ranges::lower_bound(kBounds, us);
  buckets_.at(static_cast<std::size_t>(bound - kBounds.begin())).add();
  sum_us_.add(static_cast<std::uint64_t>(us));
}

std::uint64_t Histogram::count() const {
  std::uint64_t count = 0;
  for (const Counter& bucket : buckets_) count += bucket.value();
  return count;
}

Histogram& Histogram::operator+=(const Histogram& other) {
  for (std::size_t i = 0; i < kBuckets; ++i) buckets_.at(i) += other.buckets_.at(i);
  sum_us_ += other.sum_us_;
  return *this;
}

}  // namespace rproxy::metrics
