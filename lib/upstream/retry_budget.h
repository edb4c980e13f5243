// How many retries a worker may spend, as a share of its requests: a failing upstream must not be hit harder for failing.
#pragma once

#include <array>
#include <cstdint>

#include "base/units.h"
#include "upstream/options.h"

namespace rproxy::upstream {

class RetryBudget {
 public:
  explicit RetryBudget(const RetryOptions& options) : options_(options) {}

  void count_request(TimePoint now) { ++bucket(now).requests; }
  // Takes one retry, or refuses it.
  bool take(TimePoint now);

 private:
  struct Second {
    std::int64_t number = -1;
    std::uint64_t requests = 0;
    std::uint64_t retries = 0;
  };
  static constexpr std::int64_t kWindow = 10;

  Second& bucket(TimePoint now);

  const RetryOptions& options_;
  std::array<Second, kWindow> seconds_;
};

}  // namespace rproxy::upstream
