#include "balance/view.h"

#include <algorithm>
#include <map>

namespace rproxy::balance {
namespace {

constexpr std::uint32_t kWhole = 100;
constexpr std::uint32_t kRampStart = 10;  // percent: enough to warm up by
constexpr int kRampSteps = 60;  // of the weight's growth: finer ones would cost more looks than they are worth

struct Group {
  std::vector<EndpointState*> all;
  std::vector<Candidate> available;
  std::vector<Candidate> others;  // in service

  bool is_in_panic(std::uint32_t threshold) const {
    return available.size() * kWhole < (available.size() + others.size()) * threshold;
  }
};

std::uint32_t ramp_of(const EndpointState& state, Duration slow_start, TimePoint now) {
  const TimePoint since = state.there_since();
  if (since == TimePoint{} || slow_start.count() == 0 || now >= since + slow_start) return kWhole;
  // Of one that is still ejected, which is a candidate for want of others.
  if (now <= since) return kRampStart;
  const auto grown =
      std::chrono::duration_cast<Duration>(now - since).count() * (kWhole - kRampStart) / slow_start.count();
  return kRampStart + static_cast<std::uint32_t>(grown);
}

Tier make_tier(std::vector<Candidate> candidates, const std::vector<EndpointState*>& group, bool is_available) {
  // Weights are as they are written where nobody's grows.
  const bool is_growing = std::ranges::any_of(candidates, [](const Candidate& each) { return each.ramp != kWhole; });
  for (Candidate& each : candidates) {
    if (is_growing) each.weight *= each.ramp;
  }
  return {std::move(candidates), group, is_available};
}

}  // namespace

View look_at(std::span<EndpointState* const> endpoints, const ViewOptions& options, TimePoint now) {
  View view;
  view.until = TimePoint::max();
  std::map<std::uint32_t, Group> groups;
  for (std::uint32_t i = 0; i < endpoints.size(); ++i) {
    EndpointState& state = *endpoints[i];
    // Once: it may be changed as we look.
    const std::uint32_t weight = state.weight();
    if (weight == 0) continue;
    Group& group = groups[state.priority()];
    group.all.push_back(&state);
    if (!state.is_in_service()) continue;
    const Candidate made{&state, i, weight, ramp_of(state, options.slow_start, now)};
    if (const TimePoint back = state.ejected_until(); now < back) {
      view.until = std::min(view.until, back);
    } else if (made.ramp != kWhole) {
      view.until = std::min(view.until, now + std::max(options.slow_start / kRampSteps, Duration{1}));
    }
    (state.is_available(now) ? group.available : group.others).push_back(made);
  }
  for (auto& [priority, group] : groups) {
    if (group.available.empty()) continue;
    if (view.tiers.empty() && group.is_in_panic(options.panic_threshold)) {
      std::ranges::move(group.others, std::back_inserter(group.available));
      std::ranges::sort(group.available, {}, &Candidate::index);
      group.others.clear();
    }
    view.tiers.push_back(make_tier(std::move(group.available), group.all, true));
  }
  for (auto& [priority, group] : groups) {
    if (!group.others.empty()) view.tiers.push_back(make_tier(std::move(group.others), group.all, false));
  }
  return view;
}

}  // namespace rproxy::balance
