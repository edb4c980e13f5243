#include "exchange/content_meter.h"

namespace rproxy::exchange {
namespace {

// Slow starts are not judged by the minimum rate.
constexpr Duration kRateGrace{10'000};

}  // namespace

std::optional<Error> ContentMeter::add(std::size_t size, std::uint64_t most, ByteSize min_rate, bool is_last,
                                       TimePoint now, Side side) {
  bytes_ += size;
  if (most != 0 && bytes_ > most) return Error{ErrorCode::kBodyTooLarge, side, Retry::kNever, 0, {}};
  if (min_rate.bytes == 0 || started_ == TimePoint{} || is_last) return std::nullopt;
  const auto elapsed = std::chrono::duration_cast<Duration>(now - started_);
  if (elapsed <= kRateGrace) return std::nullopt;
  const auto wanted = min_rate.bytes * static_cast<std::uint64_t>((elapsed - kRateGrace).count()) / 1000;
  if (bytes_ >= wanted) return std::nullopt;
  return Error{ErrorCode::kReadTimeout, side, Retry::kNever, 0, "below the minimum rate"};
}

}  // namespace rproxy::exchange
