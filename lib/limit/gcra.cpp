#include "limit/gcra.h"

#include <fmt/format.h>

#include <algorithm>

namespace rproxy::limit {
namespace {

using std::chrono::nanoseconds;

constexpr std::uint64_t kNowMax = std::uint64_t{1} << 61;
// Threads read the clock at different times: a TAT may be ahead by that much of what the one who decides could have led
// to.
constexpr std::uint64_t kSkewMax = 1'000'000'000;

nanoseconds ns(std::uint64_t count) { return nanoseconds(static_cast<std::int64_t>(count)); }
constexpr std::uint64_t count_of(nanoseconds time) { return static_cast<std::uint64_t>(time.count()); }

}  // namespace

std::uint64_t nanoseconds_of(TimePoint time) {
  const std::int64_t count = std::chrono::duration_cast<nanoseconds>(time.time_since_epoch()).count();
  return std::min(static_cast<std::uint64_t>(std::max<std::int64_t>(count, 0)), kNowMax);
}

Result<Gcra> Gcra::make(const Rate& rate, std::uint32_t burst) {
  const auto bad = [](std::string reason) {
    return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever, std::move(reason));
  };
  if (rate.count == 0) return bad("a rate limit allows at least one request in its period");
  if (rate.per < Duration(1) || rate.per > kPeriodMax)
    return bad(fmt::format("the period of a rate limit is 1ms to 366d: {}", to_string(rate.per)));
  if (burst == 0) return bad("the burst of a rate limit is at least 1");
  const std::uint64_t period = count_of(rate.per);
  if (rate.count > period / count_of(kIntervalMin))
    return bad(fmt::format("a rate limit is at most 1000000/s: {}", to_string(rate)));
  const std::uint64_t interval = (period + rate.count - 1) / rate.count;
  const std::uint64_t burst_max = count_of(kCapacityMax) / interval;
  if (burst > burst_max) {
    return bad(fmt::format("a burst of {} takes more than ten years to come back at {}: at most {}", burst,
                           to_string(rate), burst_max));
  }
  return Gcra(interval, burst);
}

Gcra::Outcome Gcra::decide(std::uint64_t tat, std::uint64_t now, std::uint32_t cost) const {
  const std::uint64_t latest = now + capacity_;
  std::uint64_t from = std::max(tat, now);
  if (from > latest + kSkewMax) tat = from = latest;
  Decision decision;
  if (cost > burst_) {
    decision.retry_after = Decision::kNever;
  } else {
    const std::uint64_t next = from + cost * interval_;
    decision.allowed = next <= latest;
    if (decision.allowed) {
      if (cost != 0) tat = next;
      from = next;
    } else {
      decision.retry_after = ns(next - latest);
    }
  }
  decision.remaining = from < latest ? static_cast<std::uint32_t>((latest - from) / interval_) : 0;
  decision.reset = ns(from - now);
  return {decision, tat};
}

}  // namespace rproxy::limit
