// Who may be picked, as far as can be told until something changes.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "balance/endpoint.h"

namespace rproxy::balance {

// One that may be picked.
struct Candidate {
  EndpointState* state = nullptr;
  std::uint32_t index = 0;   // among the policy's endpoints
  std::uint32_t weight = 1;  // slow start included; comparable with the others of its view, up to 100,000
  std::uint32_t ramp = 100;  // percent of its weight that it has
};

// Candidates that are equals; those of the next tier are asked when none of these takes the request.
struct Tier {
  std::vector<Candidate> candidates;
  std::vector<EndpointState*> group;  // all with a weight that have the same priority, whatever their state
  bool is_available = true;           // false: of those that are not, for want of others
};

struct ViewOptions {
  Duration slow_start{0};
  std::uint32_t panic_threshold = 0;
};

struct View {
  std::vector<Tier> tiers;
  TimePoint until;  // then time alone has changed it
};

// The lowest priority with somebody available comes first, all of it where too few are, then the others that have, then who is in service
// but not available.
View look_at(std::span<EndpointState* const> endpoints, const ViewOptions& options, TimePoint now);

}  // namespace rproxy::balance
