// How long answers take, as a quantile of those of the last minute: a histogram of fixed size, of which the older half goes from time to time.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/units.h"

namespace rproxy::upstream {

class LatencyQuantile {
 public:
  // `quantile`: 0 to 1, both excluded.
  explicit LatencyQuantile(double quantile) : quantile_(quantile) {}

  void add(std::chrono::microseconds latency, TimePoint now);
  // At most an eighth above the true one; nothing as long as too few have been measured. Worked out once a second.
  std::optional<std::chrono::microseconds> get(TimePoint now);

 private:
  // Eight buckets to each doubling, up to two minutes.
  static constexpr std::size_t kParts = 8;
  static constexpr std::size_t kBuckets = 25 * kParts;
  struct Window {
    std::array<std::uint32_t, kBuckets> counts{};
    std::uint64_t total = 0;
  };

  static std::size_t bucket_of(std::chrono::microseconds latency);
  static std::chrono::microseconds end_of(std::size_t bucket);
  void age(TimePoint now);
  std::optional<std::chrono::microseconds> find() const;

  double quantile_;
  Window current_;
  Window before_;
  TimePoint begun_{};
  TimePoint found_at_{};
  std::optional<std::chrono::microseconds> found_;
};

}  // namespace rproxy::upstream
