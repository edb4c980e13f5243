// How much an upstream is asked for at once, over all workers, and who waits for room. Outlives sets of endpoints and reloads.
#pragma once

#include <optional>
#include <utility>

#include "balance/circuit_breaker.h"
#include "upstream/place_queue.h"

namespace rproxy::upstream {

struct Capacity {
  explicit Capacity(const Options& options) : breaker(options.limits), queue(options.queue) {}

  balance::CircuitBreaker breaker;
  PlaceQueue queue;
};

// One of the connections that there may be, as long as it lives; then somebody else may make one.
class ConnectionPermit {
 public:
  // That of nothing.
  ConnectionPermit() = default;
  // `capacity` outlives it.
  ConnectionPermit(Capacity& capacity, balance::CircuitBreaker::Permit permit)
      : capacity_(&capacity), permit_(std::move(permit)) {}
  // Nothing where there are as many as may be.
  static std::optional<ConnectionPermit> try_acquire(Capacity& capacity) {
    auto permit = capacity.breaker.try_acquire(balance::CircuitBreaker::Resource::kConnections);
    if (!permit) return std::nullopt;
    return ConnectionPermit(capacity, std::move(*permit));
  }
  ConnectionPermit(ConnectionPermit&& other) noexcept
      : capacity_(std::exchange(other.capacity_, nullptr)), permit_(std::move(other.permit_)) {}
  ConnectionPermit& operator=(ConnectionPermit&& other) noexcept {
    std::swap(capacity_, other.capacity_);
    std::swap(permit_, other.permit_);
    return *this;
  }
  ~ConnectionPermit() {
    if (capacity_ == nullptr) return;
    permit_.reset();
    capacity_->queue.room();
  }

  explicit operator bool() const { return capacity_ != nullptr; }

 private:
  Capacity* capacity_ = nullptr;  // null: that of nothing
  std::optional<balance::CircuitBreaker::Permit> permit_;
};

}  // namespace rproxy::upstream
