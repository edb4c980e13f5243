#include "balance/endpoint.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rproxy::balance {
namespace {

// How fast an old latency is forgotten: after this long it weighs 1/e. An endpoint that was slow once is asked again soon.
constexpr double kDecayNs = 10e9;
// Nobody has measured it yet, and somebody is about to: longer than any latency, so that the others wait for what he finds.
constexpr double kUnmeasuredNs = 1e12;
// When a request began to wait is counted in these, beside how many do: up to a million.
constexpr int kTickBits = 16;
constexpr double kTickNs = 1 << kTickBits;
constexpr int kCountBits = 20;
constexpr std::uint32_t kGrowthMax = 16;  // doublings of an ejection's time

// With one more of them.
bool reaches(std::atomic<std::uint32_t>& row, const std::atomic<std::uint32_t>& limit) {
  const std::uint32_t count = row.fetch_add(1, std::memory_order_relaxed) + 1;
  const std::uint32_t most = limit.load(std::memory_order_relaxed);
  return most != 0 && count >= most;
}

std::int64_t to_ns(TimePoint time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time.time_since_epoch()).count();
}

std::uint64_t tick_of(std::int64_t ns) { return static_cast<std::uint64_t>(ns) >> kTickBits; }

TimePoint from_ns(std::int64_t ns) { return TimePoint(std::chrono::nanoseconds(ns)); }

// Unless there are so many already; 0: however many there are.
bool add_one(std::atomic<std::uint32_t>& count, std::uint32_t max) {
  std::uint32_t now = count.load(std::memory_order_relaxed);
  do {
    if (max != 0 && now >= max) return false;
  } while (!count.compare_exchange_weak(now, now + 1, std::memory_order_relaxed));
  return true;
}

std::uint64_t next_id() {
  static std::atomic<std::uint64_t> last{0};
  return last.fetch_add(1, std::memory_order_relaxed) + 1;
}

}  // namespace

std::string_view to_string(AdminState state) {
  switch (state) {
    case AdminState::kEnabled:
      return "enabled";
    case AdminState::kDraining:
      return "draining";
    case AdminState::kDisabled:
      return "disabled";
  }
  return "";
}

std::string_view to_string(Health health) {
  switch (health) {
    case Health::kUnknown:
      return "unknown";
    case Health::kHealthy:
      return "healthy";
    case Health::kUnhealthy:
      return "unhealthy";
  }
  return "";
}

Outcome outcome_of_status(int status) {
  if (status < 500) return Outcome::kSuccess;
  return status >= 502 && status <= 504 ? Outcome::kGatewayError : Outcome::kServerError;
}

EndpointState::EndpointState(EndpointOptions options, std::shared_ptr<Peers> peers)
    : id_(next_id()),
      address_(std::move(options.address)),
      name_(address_.to_string()),
      peers_(std::move(peers)),
      weight_(options.weight),
      priority_(options.priority),
      max_connections_(options.max_connections) {
  peers_->enlist();
}

EndpointState::~EndpointState() { leave_peers(); }

void EndpointState::leave_peers() {
  if (is_peer_.exchange(false)) peers_->leave(*this);
}

bool EndpointState::is_available(TimePoint now) const { return is_in_service() && takes_sticky(now); }

bool EndpointState::takes_sticky(TimePoint now) const {
  if (admin_state() == AdminState::kDisabled || is_ejected(now)) return false;
  const Health known = health();
  return known == Health::kHealthy || (known == Health::kUnknown && peers_->trusts_unknown());
}

void EndpointState::set_weight(std::uint32_t weight) {
  if (weight_.exchange(weight, std::memory_order_relaxed) != weight) peers_->bump();
}

void EndpointState::set_priority(std::uint32_t priority) {
  if (priority_.exchange(priority, std::memory_order_relaxed) != priority) peers_->bump();
}

void EndpointState::set_admin_state(AdminState state, TimePoint now) {
  if (admin_state() == state) return;
  if (state == AdminState::kEnabled) there_since_ns_.store(to_ns(now), std::memory_order_relaxed);
  admin_state_.store(state, std::memory_order_relaxed);
  peers_->bump();
}

void EndpointState::set_health(Health health, std::string_view reason, TimePoint now) {
  const std::lock_guard lock(mutex_);
  health_reason_ = reason;
  const Health before = this->health();
  if (before == health) return;
  // What nobody had doubted goes on as it was.
  if (health == Health::kHealthy && (before == Health::kUnhealthy || !peers_->trusts_unknown()))
    there_since_ns_.store(to_ns(now), std::memory_order_relaxed);
  health_.store(health, std::memory_order_relaxed);
  peers_->bump();
}

std::string EndpointState::health_reason() const {
  const std::lock_guard lock(mutex_);
  return health_reason_;
}

void EndpointState::begin_slow_start(TimePoint now) {
  there_since_ns_.store(to_ns(now), std::memory_order_relaxed);
  peers_->bump();
}

TimePoint EndpointState::there_since() const {
  return std::max(from_ns(there_since_ns_.load(std::memory_order_relaxed)), ejected_until());
}

void EndpointState::begin() {
  in_flight_.fetch_add(1, std::memory_order_relaxed);
  peers_->in_flight_.fetch_add(1, std::memory_order_relaxed);
}

bool EndpointState::try_begin(std::uint32_t max_of_all) {
  if (!add_one(in_flight_, max_connections())) return false;
  if (add_one(peers_->in_flight_, max_of_all)) return true;
  in_flight_.fetch_sub(1);
  return false;
}

// Who waits for room has looked at these after he said so, and we look whether somebody waits after them: one of us sees the other.
void EndpointState::end() {
  in_flight_.fetch_sub(1);
  peers_->in_flight_.fetch_sub(1);
}

Change EndpointState::record(Outcome outcome, std::chrono::nanoseconds latency, TimePoint now) {
  if (outcome != Outcome::kCancelled) count(outcome, latency);
  switch (outcome) {
    case Outcome::kCancelled:
      // As slow as that at least, which is no failure.
      if (latency.count() > 0) measure(latency, now);
      return Change::kNone;
    case Outcome::kSuccess:
      measure(latency, now);
      return succeed();
    case Outcome::kServerError:
    case Outcome::kGatewayError:
      measure(latency, now);
      break;
    case Outcome::kTimeout:
      // As slow as that at least.
      if (latency.count() > 0) measure(latency, now);
      break;
    case Outcome::kConnectFailed:
    case Outcome::kReset:
      break;
  }
  return fail(outcome, now);
}

void EndpointState::count(Outcome outcome, std::chrono::nanoseconds latency) {
  requests_.fetch_add(1, std::memory_order_relaxed);
  const bool is_success = outcome == Outcome::kSuccess;
  if (!is_success && outcome != Outcome::kServerError && outcome != Outcome::kGatewayError) return;
  answers_.fetch_add(1, std::memory_order_relaxed);
  latency_ns_.fetch_add(latency.count(), std::memory_order_relaxed);
  if (is_success) successes_.fetch_add(1, std::memory_order_relaxed);
}

Tally EndpointState::take_tally() {
  Tally tally;
  tally.requests = requests_.exchange(0, std::memory_order_relaxed);
  tally.answers = answers_.exchange(0, std::memory_order_relaxed);
  tally.successes = successes_.exchange(0, std::memory_order_relaxed);
  tally.latency = std::chrono::nanoseconds(latency_ns_.exchange(0, std::memory_order_relaxed));
  return tally;
}

Change EndpointState::succeed() {
  // Mostly there is nothing to forget, and the line stays unwritten.
  for (auto* row : {&failures_in_row_, &server_errors_in_row_, &gateway_errors_in_row_}) {
    if (row->load(std::memory_order_relaxed) != 0) row->store(0, std::memory_order_relaxed);
  }
  if (!is_returning_.load(std::memory_order_relaxed)) return Change::kNone;
  return is_returning_.exchange(false, std::memory_order_relaxed) ? Change::kRecovered : Change::kNone;
}

Change EndpointState::record_cut(TimePoint now) {
  return leave_for(reaches(cuts_in_row_, peers_->limits_.failures) ? EjectionCause::kFailures : EjectionCause::kNone,
                   now);
}

Change EndpointState::fail(Outcome outcome, TimePoint now) {
  const bool is_answer = outcome == Outcome::kServerError || outcome == Outcome::kGatewayError;
  auto cause = EjectionCause::kNone;
  if (reaches(server_errors_in_row_, peers_->limits_.server_errors)) cause = EjectionCause::kServerErrors;
  if (outcome == Outcome::kServerError) {
    gateway_errors_in_row_.store(0, std::memory_order_relaxed);
  } else if (reaches(gateway_errors_in_row_, peers_->limits_.gateway_errors)) {
    cause = EjectionCause::kGatewayErrors;
  }
  // An error of its own making says that it is there, not that it is well.
  if (is_answer) {
    failures_in_row_.store(0, std::memory_order_relaxed);
  } else if (reaches(failures_in_row_, peers_->limits_.failures)) {
    cause = EjectionCause::kFailures;
  }
  return leave_for(cause, now);
}

Change EndpointState::leave_for(EjectionCause cause, TimePoint now) {
  if (cause == EjectionCause::kNone || is_ejected(now)) return Change::kNone;
  return peers_->eject(*this, cause, now) ? Change::kEjected : Change::kNone;
}

void EndpointState::leave_alone(EjectionCause cause, const EjectionOptions& ejection, TimePoint now) {
  const TimePoint back = ejected_until();
  if (ejections_ != 0 && ejection.interval.count() != 0) {
    const auto quiet = (now - back) / ejection.interval;
    ejections_ -= static_cast<std::uint32_t>(std::min<std::int64_t>(ejections_, std::max<std::int64_t>(quiet, 0)));
  }
  const auto grown = ejection.base_time * (std::int64_t{1} << std::min(ejections_, kGrowthMax));
  ejections_ = std::min(ejections_ + 1, kGrowthMax);
  ejected_until_ns_.store(to_ns(now + std::min<Duration>(grown, ejection.max_time)), std::memory_order_relaxed);
  cause_.store(cause, std::memory_order_relaxed);
  ejected_times_.fetch_add(1, std::memory_order_relaxed);
  is_returning_.store(true, std::memory_order_relaxed);
  // One more failure of that kind after coming back ejects again at once.
  const auto before = [](std::uint32_t limit) { return limit == 0 ? 0 : limit - 1; };
  const std::uint32_t failures = cause == EjectionCause::kFailures ? before(ejection.consecutive_failures) : 0;
  failures_in_row_.store(failures);
  cuts_in_row_.store(failures);
  server_errors_in_row_.store(cause == EjectionCause::kServerErrors ? before(ejection.consecutive_5xx) : 0);
  gateway_errors_in_row_.store(cause == EjectionCause::kGatewayErrors ? before(ejection.consecutive_gateway) : 0);
}

void EndpointState::end_ejection() {
  ejected_until_ns_.store(0, std::memory_order_relaxed);
  peers_->bump();
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

TimePoint EndpointState::ejected_until() const { return from_ns(ejected_until_ns_.load(std::memory_order_relaxed)); }

// The count in the low bits and the sum of the times above them, in one number: read together they tell of the same requests. The sum
// wraps, and so does what it is taken from.
std::uint64_t EndpointState::begin_waiting(TimePoint now) {
  const std::uint64_t ticket = (tick_of(to_ns(now)) << kCountBits) + 1;
  waiting_.fetch_add(ticket, std::memory_order_relaxed);
  return ticket;
}

double EndpointState::expected_latency_ns(TimePoint now) const {
  const std::int64_t stamp = ewma_stamp_ns_.load(std::memory_order_relaxed);
  const std::uint64_t waiting = waiting_.load(std::memory_order_relaxed);
  const std::uint64_t count = waiting & ((std::uint64_t{1} << kCountBits) - 1);
  // One request finds out, and is the first to go there.
  if (stamp == 0) return in_flight() == 0 && count == 0 ? 0 : kUnmeasuredNs;
  const double latency = 1 + static_cast<double>(ewma_ns_.load(std::memory_order_relaxed));
  if (count != 0) {
    const std::uint64_t ages = ((count * tick_of(to_ns(now))) << kCountBits) - (waiting - count);
    const double age = static_cast<double>(static_cast<std::int64_t>(ages) >> kCountBits) / static_cast<double>(count);
    return std::max(latency, age * kTickNs);
  }
  const double age = static_cast<double>(std::max<std::int64_t>(0, to_ns(now) - stamp));
  // An average that nobody has confirmed for long is believed less and less: nobody is avoided for ever.
  return age > kDecayNs / 10 ? latency * std::exp(-age / kDecayNs) : latency;
}

}  // namespace rproxy::balance
