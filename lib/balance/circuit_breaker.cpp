#include "balance/circuit_breaker.h"

#include <algorithm>

namespace rproxy::balance {
namespace {

std::int64_t second_of(TimePoint now) {
  return std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
}

}  // namespace

const char* to_string(CircuitBreaker::State state) {
  switch (state) {
    case CircuitBreaker::State::kClosed:
      return "closed";
    case CircuitBreaker::State::kOpen:
      return "open";
    case CircuitBreaker::State::kHalfOpen:
      return "half-open";
  }
  return "";
}

LimitOptions CircuitBreaker::options() const {
  const std::lock_guard lock(mutex_);
  return options_;
}

void CircuitBreaker::set_options(const LimitOptions& options) {
  const std::lock_guard lock(mutex_);
  options_ = options;
  max_[index(Resource::kConnections)].store(options.max_connections, std::memory_order_relaxed);
  max_[index(Resource::kPending)].store(options.max_pending, std::memory_order_relaxed);
  max_[index(Resource::kRetries)].store(options.max_retries, std::memory_order_relaxed);
  max_requests_.store(options.max_requests, std::memory_order_relaxed);
  breaks_.store(options.error_percent != 0, std::memory_order_relaxed);
  if (options.error_percent == 0 && state_ != State::kClosed) change(State::kClosed);
}

std::optional<CircuitBreaker::Permit> CircuitBreaker::try_acquire(Resource resource) {
  auto& count = counts_[index(resource)];
  const std::uint32_t most = max(resource);
  std::uint32_t now = count.load(std::memory_order_relaxed);
  do {
    if (most != 0 && now >= most) return std::nullopt;
  } while (!count.compare_exchange_weak(now, now + 1, std::memory_order_relaxed));
  return Permit(count);
}

std::optional<CircuitBreaker::Admission> CircuitBreaker::admit(TimePoint now) {
  if (!breaks_.load(std::memory_order_relaxed)) return Admission(nullptr, 0);
  const std::lock_guard lock(mutex_);
  if (state_ == State::kOpen && now >= open_until_) change(State::kHalfOpen);
  if (state_ == State::kOpen) return std::nullopt;
  if (state_ == State::kHalfOpen) {
    if (probing_ >= std::max(options_.probes, 1U)) return std::nullopt;
    ++probing_;
  }
  return Admission(this, round_);
}

CircuitBreaker::State CircuitBreaker::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

TimePoint CircuitBreaker::opens_until() const {
  const std::lock_guard lock(mutex_);
  return open_until_;
}

void CircuitBreaker::abandon(std::uint64_t round) {
  const std::lock_guard lock(mutex_);
  if (round == round_ && state_ == State::kHalfOpen) --probing_;
}

void CircuitBreaker::record(std::uint64_t round, bool success, TimePoint now) {
  const std::lock_guard lock(mutex_);
  if (round != round_) return;
  if (state_ == State::kHalfOpen) {
    --probing_;
    if (!success) return open(now);
    if (++probed_well_ >= std::max(options_.probes, 1U)) change(State::kClosed);
    return;
  }
  count(success, now);
  // Only a failure makes it worse.
  if (!success && fails_too_often(now)) open(now);
}

void CircuitBreaker::count(bool success, TimePoint now) {
  const std::int64_t number = second_of(now);
  Second& second = seconds_[static_cast<std::size_t>(number % kWindow)];
  if (second.number != number) second = {number, 0, 0};
  ++second.requests;
  second.failures += success ? 0 : 1;
}

bool CircuitBreaker::fails_too_often(TimePoint now) const {
  std::uint64_t requests = 0;
  std::uint64_t failures = 0;
  for (const Second& second : seconds_) {
    if (second.number <= second_of(now) - kWindow) continue;
    requests += second.requests;
    failures += second.failures;
  }
  return requests >= options_.error_requests && failures * 100 >= requests * options_.error_percent;
}

void CircuitBreaker::change(State state) {
  state_ = state;
  ++round_;
  probing_ = 0;
  probed_well_ = 0;
  seconds_.fill({});
}

void CircuitBreaker::open(TimePoint now) {
  change(State::kOpen);
  open_until_ = now + options_.open_time;
}

}  // namespace rproxy::balance
