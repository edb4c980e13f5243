// What an upstream is spared of when it is over its limits, or fails: counts with a maximum, and a breaker that opens when too many
// requests fail, and closes when some that are let through to probe it do well. Shared by all workers.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

#include "base/units.h"

namespace rproxy::balance {

struct LimitOptions {
  // At once, over all workers; 0: no limit.
  std::uint32_t max_connections = 0;
  std::uint32_t max_pending = 0;   // waiting for a connection or a place
  std::uint32_t max_requests = 0;  // see EndpointState::try_begin()
  std::uint32_t max_retries = 0;

  std::uint32_t error_percent = 0;    // of the requests in the last ten seconds; then the breaker opens; 0: never
  std::uint32_t error_requests = 20;  // so many there must have been
  Duration open_time{5'000};          // then probes are let through
  std::uint32_t probes = 3;           // at once; so many in a row that do well close it
  bool operator==(const LimitOptions&) const = default;
};

class CircuitBreaker {
 public:
  enum class Resource : std::uint8_t { kConnections, kPending, kRetries };
  enum class State : std::uint8_t { kClosed, kOpen, kHalfOpen };

  // One of a resource, as long as it lives.
  class Permit {
   public:
    Permit(Permit&& other) noexcept : count_(std::exchange(other.count_, nullptr)) {}
    Permit& operator=(Permit&& other) noexcept {
      std::swap(count_, other.count_);
      return *this;
    }
    ~Permit() {
      // In order with what is looked at next: whether somebody waits for it.
      if (count_ != nullptr) count_->fetch_sub(1);
    }

   private:
    friend class CircuitBreaker;
    explicit Permit(std::atomic<std::uint32_t>& count) : count_(&count) {}
    std::atomic<std::uint32_t>* count_;  // null: moved from
  };

  // A request that was let through. How it ended is to be told; one that ends untold has shown nothing.
  class Admission {
   public:
    Admission(Admission&& other) noexcept : breaker_(std::exchange(other.breaker_, nullptr)), round_(other.round_) {}
    Admission& operator=(Admission&& other) = delete;
    ~Admission() {
      if (breaker_ != nullptr) breaker_->abandon(round_);
    }
    void end(bool success, TimePoint now) {
      if (auto* breaker = std::exchange(breaker_, nullptr)) breaker->record(round_, success, now);
    }

   private:
    friend class CircuitBreaker;
    Admission(CircuitBreaker* breaker, std::uint64_t round) : breaker_(breaker), round_(round) {}
    CircuitBreaker* breaker_;  // null: moved from, told, or nobody wants to know
    std::uint64_t round_;
  };

  explicit CircuitBreaker(const LimitOptions& options) { set_options(options); }
  CircuitBreaker(const CircuitBreaker&) = delete;
  CircuitBreaker& operator=(const CircuitBreaker&) = delete;

  LimitOptions options() const;
  // What is in use stays so.
  void set_options(const LimitOptions& options);
  // 0: no limit.
  std::uint32_t max(Resource resource) const { return max_[index(resource)].load(std::memory_order_relaxed); }
  std::uint32_t max_requests() const { return max_requests_.load(std::memory_order_relaxed); }
  // Nothing where the maximum is in use; exact, whichever threads call.
  std::optional<Permit> try_acquire(Resource resource);
  std::uint32_t in_use(Resource resource) const { return counts_[index(resource)].load(std::memory_order_relaxed); }

  // Nothing while it is open, or as many probe it as may.
  std::optional<Admission> admit(TimePoint now);
  State state() const;
  // When it lets the first probe through; in the past where it is not open.
  TimePoint opens_until() const;

 private:
  // Ten seconds, one by one.
  struct Second {
    std::int64_t number = -1;
    std::uint64_t requests = 0;
    std::uint64_t failures = 0;
  };
  static constexpr std::int64_t kWindow = 10;

  static std::size_t index(Resource resource) { return static_cast<std::size_t>(resource); }
  void abandon(std::uint64_t round);
  void record(std::uint64_t round, bool success, TimePoint now);
  void count(bool success, TimePoint now);
  bool fails_too_often(TimePoint now) const;
  void change(State state);
  void open(TimePoint now);

  std::array<std::atomic<std::uint32_t>, 3> max_{};
  std::atomic<std::uint32_t> max_requests_{0};
  std::atomic<bool> breaks_{false};  // there is an error_percent
  std::array<std::atomic<std::uint32_t>, 3> counts_{};
  mutable std::mutex mutex_;  // of the rest, which is hardly used without an error_percent
  LimitOptions options_;
  State state_ = State::kClosed;
  std::uint64_t round_ = 0;  // of changes: what began before the last tells nothing of now
  TimePoint open_until_{};
  std::uint32_t probing_ = 0;
  std::uint32_t probed_well_ = 0;
  std::array<Second, kWindow> seconds_;
};

const char* to_string(CircuitBreaker::State state);  // "closed", "open", "half-open"

}  // namespace rproxy::balance
