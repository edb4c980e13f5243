// What one worker knows of second tries at an upstream: when one is due, and how many are under way.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <optional>
#include <utility>

#include "upstream/latency_quantile.h"
#include "upstream/options.h"

namespace rproxy::upstream {

class Hedges {
 public:
  // `options` outlives it.
  explicit Hedges(const RetryOptions& options)
      : options_(options), usual_(options.hedge ? options.hedge->quantile : 0.5) {}
  Hedges(const Hedges&) = delete;
  Hedges& operator=(const Hedges&) = delete;

  // An answer took so long, or at least so long.
  void add(std::chrono::microseconds latency, TimePoint now) {
    if (options_.hedge && options_.hedge->after.count() == 0) usual_.add(latency, now);
  }

  // How long the first try is waited for; nothing: until it ends.
  std::optional<Duration> patience(TimePoint now) {
    if (!options_.hedge) return std::nullopt;
    if (options_.hedge->after.count() != 0) return options_.hedge->after;
    const auto usual = usual_.get(now);
    if (!usual) return std::nullopt;
    return std::max(std::chrono::ceil<Duration>(*usual), Duration{1});
  }

  // Counts as one of those under way.
  class Count {
   public:
    explicit Count(Hedges& hedges) : hedges_(&hedges) { ++hedges.under_way_; }
    Count(Count&& other) noexcept : hedges_(std::exchange(other.hedges_, nullptr)) {}
    Count& operator=(Count&&) = delete;
    ~Count() {
      if (hedges_ != nullptr) --hedges_->under_way_;
    }

   private:
    Hedges* hedges_;
  };
  bool has_room() const { return options_.hedge && under_way_ < options_.hedge->max; }

 private:
  const RetryOptions& options_;
  LatencyQuantile usual_;
  std::uint32_t under_way_ = 0;
};

}  // namespace rproxy::upstream
