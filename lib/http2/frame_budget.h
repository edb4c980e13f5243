// What a peer's frames cost us and what its work gives back, so that a connection that only costs is ended.
#pragma once

#include <cstdint>

#include "base/units.h"
#include "http2/options.h"

namespace rproxy::http2 {

class FrameBudget {
 public:
  explicit FrameBudget(const AbuseLimits& limits)
      : frames_{limits.frame_burst, limits.frame_rate, limits.frame_burst},
        resets_{limits.reset_burst, limits.reset_rate, limits.reset_burst} {}

  // Before frames of that time are counted.
  void refill(TimePoint now);

  // False: the budget is spent.
  bool spend_frames(std::uint32_t count) { return frames_.spend(count); }
  bool spend_reset() { return resets_.spend(1); }
  // Content moved, either way.
  void earn_content(std::uint64_t bytes);
  void earn_answer();

 private:
  struct Bucket {
    std::uint32_t burst;
    std::uint32_t rate;
    std::uint32_t left;

    bool spend(std::uint32_t count);
    void earn(std::uint64_t count);
  };

  Bucket frames_;
  Bucket resets_;
  TimePoint refilled_{};
  std::uint64_t content_ = 0;  // not yet turned into frames
};

}  // namespace rproxy::http2
