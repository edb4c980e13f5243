// How much of a message's content has come, and how fast, against its limits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/error.h"
#include "base/units.h"

namespace rproxy::exchange {

class ContentMeter {
 public:
  // Somebody waits for content: from the first time on it is to come at the minimum rate.
  void wait(TimePoint now) {
    if (started_ == TimePoint{}) started_ = now;
  }

  // So much more has come, of at most `most` bytes (0: no limit) and at `min_rate` bytes a second after a grace of 10 s (0: any). The last
  // of it is never too late. Errors: kBodyTooLarge, kReadTimeout, of that side.
  std::optional<Error> add(std::size_t size, std::uint64_t most, ByteSize min_rate, bool is_last, TimePoint now,
                           Side side);

  std::uint64_t bytes() const { return bytes_; }

 private:
  std::uint64_t bytes_ = 0;
  TimePoint started_{};
};

}  // namespace rproxy::exchange
