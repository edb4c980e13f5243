// One backend server as every worker sees it: the few numbers that balancing and ejection need, as atomics.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "base/address.h"
#include "base/units.h"

namespace rproxy::balance {

struct EndpointOptions {
  HostPort address;
  std::uint32_t weight = 1;           // 1..1000; 0 takes no new requests
  std::uint32_t priority = 0;         // the lowest that has somebody available is used
  std::uint32_t max_connections = 0;  // requests at once, over all workers; 0: no limit
  bool operator==(const EndpointOptions&) const = default;
};

// When an endpoint is left alone for a while after failing (passive health).
struct EjectionOptions {
  std::uint32_t consecutive_failures =
      3;                      // connect failures, resets and timeouts before a response; 0 turns ejection off
  Duration base_time{5'000};  // grows with each ejection in a row
  Duration max_time{60'000};
  std::uint32_t max_percent = 100;  // never eject more than this share of an upstream
  bool operator==(const EjectionOptions&) const = default;
};

// How an attempt at an endpoint ended, for record().
enum class Outcome : std::uint8_t { kSuccess, kConnectFailed, kReset, kTimeout, kServerError, kCancelled };

// What record() made of it.
enum class Change : std::uint8_t { kNone, kEjected, kRecovered };

class EndpointState {
 public:
  EndpointState(EndpointOptions options, const EjectionOptions& ejection);

  const EndpointOptions& options() const { return options_; }
  const EjectionOptions& ejection() const { return ejection_; }
  const std::string& name() const { return name_; }  // "10.0.0.1:8001"

  // Called around every attempt; thread-safe, relaxed.
  void begin() { in_flight_.fetch_add(1, std::memory_order_relaxed); }
  void end() { in_flight_.fetch_sub(1, std::memory_order_relaxed); }
  // `latency`: request sent to response head. Only kSuccess and kServerError feed the latency average.
  Change record(Outcome outcome, std::chrono::nanoseconds latency, TimePoint now);

  std::uint32_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  bool is_ejected(TimePoint now) const { return now < ejected_until(); }
  TimePoint ejected_until() const;  // long ago where it never was
  // Expected cost of one more request: peak EWMA of latency times (in flight + 1) over weight (Finagle's peak EWMA).
  // One that nobody has measured costs nothing, until a request is on its way to find out.
  double load(TimePoint now) const;

 private:
  void measure(std::chrono::nanoseconds latency, TimePoint now);

  EndpointOptions options_;
  std::string name_;
  EjectionOptions ejection_;
  std::atomic<std::uint32_t> in_flight_{0};
  std::atomic<std::uint32_t> failures_in_row_{0};
  std::atomic<std::uint32_t> ejections_in_row_{0};
  std::atomic<std::int64_t> ejected_until_ns_{0};
  std::atomic<std::int64_t> ewma_ns_{0};
  std::atomic<std::int64_t> ewma_stamp_ns_{0};
};

}  // namespace rproxy::balance
