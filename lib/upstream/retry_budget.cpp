#include "upstream/retry_budget.h"

namespace rproxy::upstream {

RetryBudget::Second& RetryBudget::bucket(TimePoint now) {
  const auto number = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  Second& second = seconds_[static_cast<std::size_t>(number % kWindow)];
  if (second.number != number) second = {number, 0, 0};
  return second;
}

bool RetryBudget::take(TimePoint now) {
  Second& current = bucket(now);
  std::uint64_t requests = 0;
  std::uint64_t retries = 0;
  for (const Second& second : seconds_) {
    if (second.number <= current.number - kWindow) continue;
    requests += second.requests;
    retries += second.retries;
  }
  // With this one: the share is never exceeded.
  if (retries >= options_.budget_min && (retries + 1) * 100 > requests * options_.budget_percent) return false;
  ++current.retries;
  return true;
}

}  // namespace rproxy::upstream
