// What the endpoints of one upstream have in common, whoever looks at them: outlives sets of endpoints and reloads.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "balance/ejection.h"
#include "balance/ring.h"
#include "base/units.h"

namespace rproxy::balance {

class EndpointState;

// Thread-safe. Endpoints enlist themselves.
class Peers {
 public:
  explicit Peers(const EjectionOptions& ejection = {});
  Peers(const Peers&) = delete;
  Peers& operator=(const Peers&) = delete;

  // Another number after every change of who may be picked, or with which weight. What was seen of the endpoints after it was read holds
  // as long as it stays, and as the clock has not passed what they tell of time.
  std::uint64_t epoch() const { return epoch_.load(std::memory_order_acquire); }
  void bump() { epoch_.fetch_add(1, std::memory_order_release); }

  EjectionOptions ejection() const;
  void set_ejection(const EjectionOptions& ejection);
  // Whether an endpoint whose health nobody has found out yet takes requests.
  bool trusts_unknown() const { return trusts_unknown_.load(std::memory_order_relaxed); }
  void set_trusts_unknown(bool trusts);

  // Of all endpoints and workers.
  std::uint32_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  std::size_t size() const { return size_.load(std::memory_order_relaxed); }
  // How many are ejected now.
  std::size_t ejected(TimePoint now);

  // Leaves `state` alone for a while, longer each time, where the share of those who are allows it.
  bool eject(EndpointState& state, EjectionCause cause, TimePoint now);

  // Made by the first who asks, for all who ask for the same.
  std::shared_ptr<const Ring> ring(std::vector<Ring::Member> members, std::uint32_t points);

 private:
  friend class EndpointState;
  // The thresholds that each request is held against.
  struct Limits {
    std::atomic<std::uint32_t> failures{0};
    std::atomic<std::uint32_t> server_errors{0};
    std::atomic<std::uint32_t> gateway_errors{0};
  };

  void enlist() { size_.fetch_add(1, std::memory_order_relaxed); }
  void leave(const EndpointState& state);  // once
  void forget_returned(TimePoint now);

  std::atomic<std::uint64_t> epoch_{1};
  std::atomic<bool> trusts_unknown_{true};
  std::atomic<std::size_t> size_{0};
  Limits limits_;
  mutable std::mutex mutex_;
  EjectionOptions ejection_;
  std::vector<const EndpointState*> ejected_;
  std::mutex rings_mutex_;  // apart: a large one takes its time
  RingCache rings_;
  alignas(64) std::atomic<std::uint32_t> in_flight_{0};
};

}  // namespace rproxy::balance
