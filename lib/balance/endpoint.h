// One backend server as every worker, the health checks and the operator see it: what balancing and ejection need, as atomics.
#pragma once

#include <atomic>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "balance/ejection.h"
#include "balance/peers.h"
#include "base/address.h"
#include "base/units.h"

namespace rproxy::balance {

// That of the servers marked as backup: after every number one can write.
constexpr std::uint32_t kBackupPriority = std::numeric_limits<std::uint32_t>::max();

struct EndpointOptions {
  HostPort address;
  std::uint32_t weight = 1;           // 1..1000; 0 takes no new requests
  std::uint32_t priority = 0;         // the lowest that has somebody available is used
  std::uint32_t max_connections = 0;  // requests at once, over all workers; 0: no limit
  bool operator==(const EndpointOptions&) const = default;
};

// How an attempt at an endpoint ended, for record(). kGatewayError: 502, 503, 504; kServerError: any other 5xx.
enum class Outcome : std::uint8_t {
  kSuccess,
  kConnectFailed,
  kReset,
  kTimeout,
  kServerError,
  kGatewayError,
  kCancelled
};
// That of a response.
Outcome outcome_of_status(int status);

// What record() made of it.
enum class Change : std::uint8_t { kNone, kEjected, kRecovered };

// What an operator wants of it. kDraining: only such requests as belong to it already (sticky); kDisabled: none.
enum class AdminState : std::uint8_t { kEnabled, kDraining, kDisabled };
std::string_view to_string(AdminState state);  // "enabled"

// What active checks have found out.
enum class Health : std::uint8_t { kUnknown, kHealthy, kUnhealthy };
std::string_view to_string(Health health);  // "healthy"

// What became of the requests of an interval.
struct Tally {
  std::uint64_t requests = 0;  // that ended, whichever way, but for those that were cancelled
  std::uint64_t answers = 0;   // with any status
  std::uint64_t successes = 0;
  std::chrono::nanoseconds latency{0};  // the sum of the answers'
};

// Thread-safe.
class EndpointState {
 public:
  EndpointState(EndpointOptions options, std::shared_ptr<Peers> peers);
  EndpointState(const EndpointState&) = delete;
  EndpointState& operator=(const EndpointState&) = delete;
  ~EndpointState();

  std::uint64_t id() const { return id_; }           // no other in this process has had it
  const std::string& name() const { return name_; }  // "10.0.0.1:8001"
  const HostPort& address() const { return address_; }
  Peers& peers() const { return *peers_; }

  // Whether it is one to pick: enabled, with a weight, not ejected, and healthy as far as is known. It may be full.
  bool is_available(TimePoint now) const;
  // Whether it takes requests that belong to it.
  bool takes_sticky(TimePoint now) const;
  // Whether it is one to pick where nobody is available.
  bool is_in_service() const { return admin_state() == AdminState::kEnabled && weight() != 0; }

  // What may change as it runs. Of a change that makes it available `now` begins its slow start.
  std::uint32_t weight() const { return weight_.load(std::memory_order_relaxed); }
  void set_weight(std::uint32_t weight);
  std::uint32_t priority() const { return priority_.load(std::memory_order_relaxed); }
  void set_priority(std::uint32_t priority);
  std::uint32_t max_connections() const { return max_connections_.load(std::memory_order_relaxed); }
  void set_max_connections(std::uint32_t max) { max_connections_.store(max, std::memory_order_relaxed); }
  AdminState admin_state() const { return admin_state_.load(std::memory_order_relaxed); }
  void set_admin_state(AdminState state, TimePoint now);
  Health health() const { return health_.load(std::memory_order_relaxed); }
  void set_health(Health health, std::string_view reason, TimePoint now);
  std::string health_reason() const;  // of the last check, in words
  // It is not one of its peers any more, though it may yet be asked.
  void leave_peers();
  // It is new among others that serve.
  void begin_slow_start(TimePoint now);
  // Since when it has been there, for slow start; long ago where it always was.
  TimePoint there_since() const;

  // Called around every attempt. try_begin() refuses where max_connections are in flight, or `max_of_all` at all its peers together (0: no
  // limit), exactly, whichever threads call.
  void begin();
  bool try_begin(std::uint32_t max_of_all = 0);
  void end();
  std::uint32_t in_flight() const { return in_flight_.load(std::memory_order_relaxed); }
  bool is_full() const { return max_connections() != 0 && in_flight() >= max_connections(); }

  // `latency`: request sent to response head, or to where a timeout, or who had another answer, gave up.
  Change record(Outcome outcome, std::chrono::nanoseconds latency, TimePoint now);
  // How the content of an answer, which record() was told of at its head, has ended: cut short in a row counts as failures in a row do.
  Change record_cut(TimePoint now);
  void record_whole() {
    if (cuts_in_row_.load(std::memory_order_relaxed) != 0) cuts_in_row_.store(0, std::memory_order_relaxed);
  }

  // Since the last call. For one caller, the OutlierDetector; a request that ends meanwhile may be split between two calls.
  Tally take_tally();

  bool is_ejected(TimePoint now) const { return now < ejected_until(); }
  TimePoint ejected_until() const;  // long ago where it never was
  EjectionCause ejection_cause() const { return cause_.load(std::memory_order_relaxed); }  // of the last one
  void end_ejection();
  // How often it was, in all.
  std::uint64_t ejections() const { return ejected_times_.load(std::memory_order_relaxed); }
  // The moving average; 0: nobody has measured it.
  std::chrono::nanoseconds latency() const {
    return std::chrono::nanoseconds(ewma_ns_.load(std::memory_order_relaxed));
  }
  // How long one more request may wait: peak EWMA (Finagle's), less of it the longer ago it was measured, but not while a request is
  // finding out, nor less than those that wait have waited. 0 for one that nobody has measured, until a request is on its way to.
  double expected_latency_ns(TimePoint now) const;
  // By Waiting.
  std::uint64_t begin_waiting(TimePoint now);
  void end_waiting(std::uint64_t ticket) { waiting_.fetch_sub(ticket, std::memory_order_relaxed); }

 private:
  friend class Peers;
  // By Peers, under its lock.
  void leave_alone(EjectionCause cause, const EjectionOptions& ejection, TimePoint now);
  void count(Outcome outcome, std::chrono::nanoseconds latency);
  void measure(std::chrono::nanoseconds latency, TimePoint now);
  Change succeed();
  Change fail(Outcome outcome, TimePoint now);
  Change leave_for(EjectionCause cause, TimePoint now);

  const std::uint64_t id_;
  const HostPort address_;
  const std::string name_;
  const std::shared_ptr<Peers> peers_;
  std::atomic<std::uint32_t> weight_;
  std::atomic<std::uint32_t> priority_;
  std::atomic<std::uint32_t> max_connections_;
  std::atomic<AdminState> admin_state_{AdminState::kEnabled};
  std::atomic<Health> health_{Health::kUnknown};
  std::atomic<EjectionCause> cause_{EjectionCause::kNone};
  std::atomic<bool> is_peer_{true};
  std::atomic<bool> is_returning_{false};  // from an ejection, and has not answered well yet
  std::atomic<std::int64_t> there_since_ns_{0};
  std::atomic<std::int64_t> ejected_until_ns_{0};
  std::atomic<std::uint64_t> ejected_times_{0};
  std::uint32_t ejections_ = 0;  // grows the time of the next; under Peers' lock
  mutable std::mutex mutex_;
  std::string health_reason_;
  // What requests write is apart from what they only read.
  alignas(64) std::atomic<std::uint32_t> in_flight_{0};
  std::atomic<std::uint32_t> failures_in_row_{0};
  std::atomic<std::uint32_t> cuts_in_row_{0};  // apart: the head of each was a success
  std::atomic<std::uint32_t> server_errors_in_row_{0};
  std::atomic<std::uint32_t> gateway_errors_in_row_{0};
  std::atomic<std::uint64_t> waiting_{0};   // how many, and the sum of when they began; see begin_waiting()
  std::atomic<std::uint64_t> requests_{0};  // of the tally
  std::atomic<std::uint64_t> answers_{0};
  std::atomic<std::uint64_t> successes_{0};
  std::atomic<std::int64_t> latency_ns_{0};
  std::atomic<std::int64_t> ewma_ns_{0};
  std::atomic<std::int64_t> ewma_stamp_ns_{0};
};

}  // namespace rproxy::balance
