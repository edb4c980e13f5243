#include "server/outlier_sweeps.h"

namespace rproxy::server {
namespace {

// Detectors know when their intervals are over; this is how late they may learn it.
constexpr Duration kLook{1'000};

}  // namespace

void OutlierSweeps::adopt(const std::shared_ptr<const Generation>& generation) {
  compared_.clear();
  generation_ = generation;
  for (const auto& upstream : generation->upstreams()) {
    const balance::EjectionOptions& options = upstream->options().ejection;
    if (options.success_rate_factor != 0 || options.latency_factor != 0) compared_.push_back({*upstream, {}});
  }
  next_.disarm();
  if (!compared_.empty()) sweep();
}

void OutlierSweeps::sweep() {
  const TimePoint now = loop_.now();
  for (Compared& each : compared_) {
    const upstream::EndpointSetPtr set = each.upstream.endpoints();
    for (const balance::EndpointState* ejected : each.detector.sweep(set->states(), now)) {
      upstream::log_ejection(each.upstream.name(), *ejected, balance::to_string(ejected->ejection_cause()), now);
    }
  }
  next_.arm(loop_.wheel(), kLook);
}

}  // namespace rproxy::server
