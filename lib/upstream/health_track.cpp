#include "upstream/health_track.h"

#include <algorithm>

namespace rproxy::upstream {

using balance::Health;

HealthTrack::HealthTrack(const HealthOptions& options, Health known, std::uint64_t seed)
    : options_(options), health_(known), random_(static_cast<std::minstd_rand::result_type>(seed ^ seed >> 32)) {
  if (known == Health::kUnknown && options.initial == InitialHealth::kHealthy) health_ = Health::kHealthy;
}

bool HealthTrack::record(bool ok) {
  in_a_row_ = ok == was_ok_ && !is_first_ ? in_a_row_ + 1 : 1;
  is_first_ = false;
  was_ok_ = ok;
  const Health found = ok ? Health::kHealthy : Health::kUnhealthy;
  if (found == health_) return false;
  // Of one that nobody knows the first check is all there is.
  const std::uint32_t needed = health_ == Health::kUnknown ? 1 : ok ? options_.rise : options_.fall;
  if (in_a_row_ < needed) return false;
  health_ = found;
  return true;
}

Duration HealthTrack::next_delay() {
  const Duration interval = with_jitter(options_.interval);
  if (is_first_) {
    // As much of it as the jitter is wide.
    const auto spread = options_.interval * options_.jitter / 100;
    return Duration{std::uniform_int_distribution<std::int64_t>(0, spread.count())(random_)};
  }
  const bool is_well = was_ok_ && health_ == Health::kHealthy;
  return is_well ? interval : with_jitter(options_.unhealthy_interval);
}

Duration HealthTrack::with_jitter(Duration time) {
  const std::int64_t most = time.count() * options_.jitter / 100;
  return std::max(time + Duration{std::uniform_int_distribution<std::int64_t>(-most, most)(random_)}, Duration{1});
}

}  // namespace rproxy::upstream
