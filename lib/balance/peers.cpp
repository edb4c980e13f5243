#include "balance/peers.h"

#include <algorithm>
#include <utility>

#include "balance/endpoint.h"

namespace rproxy::balance {

std::string_view to_string(EjectionCause cause) {
  switch (cause) {
    case EjectionCause::kNone:
      break;
    case EjectionCause::kFailures:
      return "failures in a row";
    case EjectionCause::kGatewayErrors:
      return "gateway errors in a row";
    case EjectionCause::kServerErrors:
      return "server errors in a row";
    case EjectionCause::kSuccessRate:
      return "fewer successes than its peers";
    case EjectionCause::kLatency:
      return "slower than its peers";
  }
  return "";
}

Peers::Peers(const EjectionOptions& ejection) { set_ejection(ejection); }

EjectionOptions Peers::ejection() const {
  const std::lock_guard lock(mutex_);
  return ejection_;
}

void Peers::set_ejection(const EjectionOptions& ejection) {
  const std::lock_guard lock(mutex_);
  ejection_ = ejection;
  limits_.failures.store(ejection.consecutive_failures, std::memory_order_relaxed);
  limits_.server_errors.store(ejection.consecutive_5xx, std::memory_order_relaxed);
  limits_.gateway_errors.store(ejection.consecutive_gateway, std::memory_order_relaxed);
}

void Peers::set_trusts_unknown(bool trusts) {
  if (trusts_unknown_.exchange(trusts, std::memory_order_relaxed) != trusts) bump();
}

void Peers::leave(const EndpointState& state) {
  size_.fetch_sub(1, std::memory_order_relaxed);
  const std::lock_guard lock(mutex_);
  std::erase(ejected_, &state);
}

void Peers::forget_returned(TimePoint now) {
  std::erase_if(ejected_, [&](const EndpointState* each) { return !each->is_ejected(now); });
}

std::size_t Peers::ejected(TimePoint now) {
  const std::lock_guard lock(mutex_);
  forget_returned(now);
  return ejected_.size();
}

std::shared_ptr<const Ring> Peers::ring(std::vector<Ring::Member> members, std::uint32_t points) {
  const std::lock_guard lock(rings_mutex_);
  return rings_.get(std::move(members), points);
}

bool Peers::eject(EndpointState& state, EjectionCause cause, TimePoint now) {
  const std::lock_guard lock(mutex_);
  forget_returned(now);
  if (state.is_ejected(now) || ejection_.max_percent == 0 || !state.is_peer_.load(std::memory_order_relaxed))
    return false;
  const std::size_t most = std::max<std::size_t>(1, size() * ejection_.max_percent / 100);
  if (ejected_.size() >= most) return false;
  ejected_.push_back(&state);
  state.leave_alone(cause, ejection_, now);
  bump();
  return true;
}

}  // namespace rproxy::balance
