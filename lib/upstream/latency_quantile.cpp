#include "upstream/latency_quantile.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace rproxy::upstream {

using std::chrono::microseconds;

namespace {

constexpr std::chrono::seconds kWindow{30};
constexpr std::chrono::seconds kRefresh{1};
// Fewer say nothing of one in twenty.
constexpr std::uint64_t kLeast = 100;

}  // namespace

// Exact below 16; then by the leading four bits.
std::size_t LatencyQuantile::bucket_of(microseconds latency) {
  const auto value = static_cast<std::uint64_t>(std::max<std::int64_t>(latency.count(), 0));
  if (value < 2 * kParts) return static_cast<std::size_t>(value);
  const auto shift = static_cast<std::size_t>(std::bit_width(value)) - 4;
  return std::min(shift * kParts + static_cast<std::size_t>(value >> shift), kBuckets - 1);
}

microseconds LatencyQuantile::end_of(std::size_t bucket) {
  if (bucket < 2 * kParts) return microseconds{bucket};
  const std::size_t shift = bucket / kParts - 1;
  return microseconds{((kParts + bucket % kParts + 1) << shift) - 1};
}

void LatencyQuantile::age(TimePoint now) {
  if (now - begun_ < kWindow) return;
  before_ = now - begun_ < 2 * kWindow ? current_ : Window{};
  current_ = {};
  begun_ = now;
}

void LatencyQuantile::add(microseconds latency, TimePoint now) {
  age(now);
  ++current_.counts[bucket_of(latency)];
  ++current_.total;
}

std::optional<microseconds> LatencyQuantile::get(TimePoint now) {
  age(now);
  if (found_ && now - found_at_ < kRefresh) return found_;
  found_at_ = now;
  found_ = find();
  return found_;
}

std::optional<microseconds> LatencyQuantile::find() const {
  const std::uint64_t total = current_.total + before_.total;
  if (total < kLeast) return std::nullopt;
  const auto wanted = static_cast<std::uint64_t>(static_cast<double>(total) * quantile_);
  std::uint64_t seen = 0;
  for (std::size_t i = 0; i < kBuckets; ++i) {
    seen += current_.counts[i] + before_.counts[i];
    if (seen > wanted) return end_of(i);
  }
  return end_of(kBuckets - 1);
}

}  // namespace rproxy::upstream
