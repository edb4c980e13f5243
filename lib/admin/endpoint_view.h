// How operators see an endpoint: what it is called, whether it takes requests, and why not.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/units.h"
#include "upstream/endpoint.h"
#include "upstream/upstream.h"

namespace rproxy::admin {

// The address it is at: "10.0.0.1:8001", "[::1]:80", "unix:/run/app.sock". A name that was resolved has several endpoints.
std::string address_of(const upstream::Endpoint& endpoint);

// The one word that matters most.
enum class State : std::uint8_t { kAvailable, kFull, kEjected, kUnhealthy, kDraining, kDisabled };
constexpr std::array<std::string_view, 6> kStateNames{"available", "full",     "ejected",
                                                      "unhealthy", "draining", "disabled"};
constexpr std::string_view to_string(State state) { return kStateNames.at(static_cast<std::size_t>(state)); }

State state_of(const balance::EndpointState& endpoint, TimePoint now);
// Everything that keeps requests away, in words.
std::vector<std::string> reasons(const balance::EndpointState& endpoint, TimePoint now);

// Whether some endpoint takes requests.
bool can_serve(const upstream::Upstream& upstream, TimePoint now);

}  // namespace rproxy::admin
