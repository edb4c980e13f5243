#include "http2/frame_budget.h"

#include <algorithm>

namespace rproxy::http2 {
namespace {

// A receiver of content sends a WINDOW_UPDATE or two for each frame of it, and some a PING.
constexpr std::uint64_t kContentPerFrame = 1024;
// Or for each request, where we are the client.
constexpr std::uint64_t kFramesPerAnswer = 8;

}  // namespace

bool FrameBudget::Bucket::spend(std::uint32_t count) {
  if (left < count) {
    left = 0;
    return false;
  }
  left -= count;
  return true;
}

void FrameBudget::Bucket::earn(std::uint64_t count) {
  left = static_cast<std::uint32_t>(std::min<std::uint64_t>(burst, left + count));
}

void FrameBudget::refill(TimePoint now) {
  if (refilled_ == TimePoint{}) refilled_ = now;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now - refilled_);
  if (seconds.count() <= 0) return;
  refilled_ += seconds;
  frames_.earn(static_cast<std::uint64_t>(seconds.count()) * frames_.rate);
  resets_.earn(static_cast<std::uint64_t>(seconds.count()) * resets_.rate);
}

void FrameBudget::earn_content(std::uint64_t bytes) {
  content_ += bytes;
  if (content_ < kContentPerFrame) return;
  frames_.earn(content_ / kContentPerFrame);
  content_ %= kContentPerFrame;
}

void FrameBudget::earn_answer() {
  frames_.earn(kFramesPerAnswer);
  resets_.earn(1);
}

}  // namespace rproxy::http2
