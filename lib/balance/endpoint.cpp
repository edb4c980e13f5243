#include "balance/endpoint.h"

#include <algorithm>
#include <cmath>

namespace rproxy::balance {
namespace {

// How fast an old latency is forgotten: after this long it weighs 1/e. An endpoint that was slow once is asked again soon.
constexpr double kDecayNs = 10e9;
// Nobody has measured it yet, and somebody is about to: longer than any latency, so that the others wait for what he finds.
constexpr double kUnmeasuredNs = 1e12;
constexpr std::uint32_t kGrowthMax = 16;  // doublings of an ejection's time

std::int64_t to_ns(TimePoint time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

}  // namespace

EndpointState::EndpointState(EndpointOptions options, const EjectionOptions& ejection)
    : options_(std::move(options)), name_(options_.address.to_string()), ejection_(ejection) {}

Change EndpointState::record(Outcome outcome, std::chrono::nanoseconds latency, TimePoint now) {
  switch (outcome) {
    case Outcome::kCancelled:
      return Change::kNone;
    case Outcome::kSuccess:
    case Outcome::kServerError:
      failures_in_row_.store(0, std::memory_order_relaxed);
      measure(latency, now);
      // An error of its own making says that it is there, not that it is well.
      if (outcome == Outcome::kServerError || ejections_in_row_.load(std::memory_order_relaxed) == 0)
        return Change::kNone;
      return ejections_in_row_.exchange(0, std::memory_order_relaxed) != 0 ? Change::kRecovered : Change::kNone;
    case Outcome::kConnectFailed:
    case Outcome::kReset:
    case Outcome::kTimeout:
      break;
  }
  const std::uint32_t failures = failures_in_row_.fetch_add(1, std::memory_order_relaxed) + 1;
  if (ejection_.consecutive_failures == 0 || failures < ejection_.consecutive_failures || is_ejected(now))
    return Change::kNone;
  const std::uint32_t before = ejections_in_row_.fetch_add(1, std::memory_order_relaxed);
  const auto grown = ejection_.base_time * (std::int64_t{1} << std::min(before, kGrowthMax));
  const auto time = std::min<Duration>(grown, ejection_.max_time);
  ejected_until_ns_.store(to_ns(now + time), std::memory_order_relaxed);
  // One more failure after coming back ejects again at once.
  failures_in_row_.store(ejection_.consecutive_failures - 1, std::memory_order_relaxed);
  return Change::kEjected;
}

// Peak EWMA: a slower answer counts in full at once, quicker ones bring the average down over time. Two workers measuring at the same
// moment may lose one sample, which is cheaper than a lock.
void EndpointState::measure(std::chrono::nanoseconds latency, TimePoint now) {
  const double sample = static_cast<double>(latency.count());
  const double average = static_cast<double>(ewma_ns_.load(std::memory_order_relaxed));
  const std::int64_t stamp = ewma_stamp_ns_.load(std::memory_order_relaxed);
  const std::int64_t now_ns = to_ns(now);
  double next = sample;
  if (stamp != 0 && sample < average) {
    const double weight = std::exp(-static_cast<double>(std::max<std::int64_t>(0, now_ns - stamp)) / kDecayNs);
    next = average * weight + sample * (1 - weight);
  }
  ewma_ns_.store(static_cast<std::int64_t>(next), std::memory_order_relaxed);
  ewma_stamp_ns_.store(now_ns, std::memory_order_relaxed);
}

TimePoint EndpointState::ejected_until() const {
  return TimePoint(std::chrono::nanoseconds(ejected_until_ns_.load(std::memory_order_relaxed)));
}

double EndpointState::load(TimePoint now) const {
  const std::int64_t stamp = ewma_stamp_ns_.load(std::memory_order_relaxed);
  const double busy = (in_flight() + 1.0) / std::max<std::uint32_t>(options_.weight, 1);
  // One request finds out, and is the first to go there.
  if (stamp == 0) return in_flight() == 0 ? 0 : kUnmeasuredNs + busy;
  const double age = static_cast<double>(std::max<std::int64_t>(0, to_ns(now) - stamp));
  double latency = static_cast<double>(ewma_ns_.load(std::memory_order_relaxed));
  // An average that nobody has confirmed for long is believed less and less: nobody is avoided for ever.
  if (age > kDecayNs / 10) latency *= std::exp(-age / kDecayNs);
  return (latency + 1) * busy;
}

}  // namespace rproxy::balance
