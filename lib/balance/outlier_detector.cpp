#include "balance/outlier_detector.h"

#include <algorithm>
#include <cmath>

namespace rproxy::balance {
namespace {

// One with enough requests to be compared.
struct Sample {
  EndpointState* state;
  double success_rate;
  double latency_ns;  // mean
};

constexpr double kPercent = 100;

std::vector<Sample> take_samples(std::span<EndpointState* const> endpoints, const EjectionOptions& options,
                                 TimePoint now) {
  std::vector<Sample> samples;
  for (EndpointState* each : endpoints) {
    const Tally tally = each->take_tally();
    if (tally.requests < std::max<std::uint64_t>(options.min_requests, 1) || each->is_ejected(now)) continue;
    const double answers = static_cast<double>(std::max<std::uint64_t>(tally.answers, 1));
    samples.push_back({each, static_cast<double>(tally.successes) / static_cast<double>(tally.requests),
                       static_cast<double>(tally.latency.count()) / answers});
  }
  return samples;
}

double least_success_rate(std::span<const Sample> samples, double factor) {
  const double count = static_cast<double>(samples.size());
  double sum = 0;
  for (const Sample& each : samples) sum += each.success_rate;
  const double mean = sum / count;
  double squares = 0;
  for (const Sample& each : samples) squares += (each.success_rate - mean) * (each.success_rate - mean);
  return mean - factor * std::sqrt(squares / count);
}

double median_latency(std::vector<Sample> samples) {
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>(samples.size() / 2);
  std::ranges::nth_element(samples, middle, {}, &Sample::latency_ns);
  if (samples.size() % 2 != 0) return middle->latency_ns;
  return (middle->latency_ns + std::ranges::max_element(samples.begin(), middle, {}, &Sample::latency_ns)->latency_ns) /
         2;
}

// The worst first: the share that may be ejected may not suffice for all.
void eject(std::vector<Sample> outliers, EjectionCause cause, auto worse, TimePoint now,
           std::vector<EndpointState*>& ejected) {
  std::ranges::sort(outliers, worse);
  for (const Sample& each : outliers) {
    if (each.state->peers().eject(*each.state, cause, now)) ejected.push_back(each.state);
  }
}

}  // namespace

std::vector<EndpointState*> OutlierDetector::sweep(std::span<EndpointState* const> endpoints, TimePoint now) {
  std::vector<EndpointState*> ejected;
  if (endpoints.empty() || now < due_) return ejected;
  const EjectionOptions options = endpoints.front()->peers().ejection();
  const bool is_first = due_ == TimePoint{};
  due_ = now + options.interval;
  const std::vector<Sample> samples = take_samples(endpoints, options, now);
  if (is_first || samples.size() < std::max<std::size_t>(options.min_hosts, 2)) return ejected;
  if (options.success_rate_factor != 0) {
    const double least = least_success_rate(samples, options.success_rate_factor / kPercent);
    std::vector<Sample> outliers;
    std::ranges::copy_if(samples, std::back_inserter(outliers),
                         [&](const Sample& s) { return s.success_rate < least; });
    eject(
        std::move(outliers), EjectionCause::kSuccessRate,
        [](const Sample& a, const Sample& b) { return a.success_rate < b.success_rate; }, now, ejected);
  }
  if (options.latency_factor != 0) {
    const double least = static_cast<double>(std::chrono::nanoseconds(options.latency_min).count());
    const double most = std::max(least, median_latency(samples) * options.latency_factor / kPercent);
    std::vector<Sample> outliers;
    std::ranges::copy_if(samples, std::back_inserter(outliers), [&](const Sample& s) { return s.latency_ns > most; });
    eject(
        std::move(outliers), EjectionCause::kLatency,
        [](const Sample& a, const Sample& b) { return a.latency_ns > b.latency_ns; }, now, ejected);
  }
  return ejected;
}

}  // namespace rproxy::balance
