#include "admin/endpoint_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "net/socket_address.h"

namespace rproxy::admin {

using balance::AdminState;
using balance::Health;

std::string address_of(const upstream::Endpoint& endpoint) {
  const net::Peer peer = net::peer_of(endpoint.address.storage);
  if (peer.is_unix) return endpoint.state.name();
  return HostPort{HostPort::Kind::kIp, peer.ip.to_string(), peer.ip, peer.port}.to_string();
}

State state_of(const balance::EndpointState& endpoint, TimePoint now) {
  if (endpoint.admin_state() == AdminState::kDisabled || endpoint.weight() == 0) return State::kDisabled;
  if (endpoint.admin_state() == AdminState::kDraining) return State::kDraining;
  if (endpoint.is_ejected(now)) return State::kEjected;
  // Of unknown health, where that is not trusted, too.
  if (!endpoint.is_available(now)) return State::kUnhealthy;
  return endpoint.is_full() ? State::kFull : State::kAvailable;
}

std::vector<std::string> reasons(const balance::EndpointState& endpoint, TimePoint now) {
  std::vector<std::string> out;
  if (endpoint.admin_state() == AdminState::kDisabled) out.emplace_back("disabled by the operator");
  if (endpoint.admin_state() == AdminState::kDraining) {
    out.emplace_back("draining by the operator's wish: only requests that belong to it already");
  }
  if (endpoint.weight() == 0) out.emplace_back("its weight is 0");
  if (endpoint.is_ejected(now)) {
    const auto left = std::chrono::ceil<Duration>(endpoint.ejected_until() - now);
    out.push_back(fmt::format("left alone for {} more, after {}", rproxy::to_string(left),
                              balance::to_string(endpoint.ejection_cause())));
  }
  if (endpoint.health() == Health::kUnhealthy) {
    const std::string why = endpoint.health_reason();
    out.push_back(why.empty() ? "its checks fail" : "its checks fail: " + why);
  } else if (endpoint.health() == Health::kUnknown && state_of(endpoint, now) == State::kUnhealthy) {
    out.emplace_back("not checked yet");
  }
  if (endpoint.is_full())
    out.push_back(fmt::format("all of its {} connections are in use", endpoint.max_connections()));
  return out;
}

bool can_serve(const upstream::Upstream& upstream, TimePoint now) {
  const auto set = upstream.endpoints();
  return std::ranges::any_of(set->states(), [now](const auto* state) { return state->is_available(now); });
}

}  // namespace rproxy::admin
