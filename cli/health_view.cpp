#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "cli/health.h"

namespace rproxy::cli {
namespace {

constexpr std::size_t kHistoryMax = 60;
// The oldest go first.
constexpr std::size_t kSamplesMax = 100'000;

double milliseconds(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1000; }

}  // namespace

void HealthSeries::add(server::SurveyRow row) {
  ++sent;
  std::optional<double> latency;
  if (row.result.is_ok()) {
    latency = milliseconds(row.result.total);
    if (latencies_ms.size() >= kSamplesMax) latencies_ms.erase(latencies_ms.begin());
    latencies_ms.push_back(*latency);
  } else {
    ++lost;
  }
  if (history.size() >= kHistoryMax) history.erase(history.begin());
  history.push_back(latency);
  last = std::move(row);
}

std::optional<HealthSeries::Statistics> HealthSeries::statistics() const {
  if (latencies_ms.empty()) return std::nullopt;
  std::vector<double> sorted = latencies_ms;
  std::ranges::sort(sorted);
  const auto count = static_cast<double>(sorted.size());
  // The nearest rank.
  const auto rank = static_cast<std::size_t>(std::ceil(0.95 * count)) - 1;
  return Statistics{sorted.front(), std::accumulate(sorted.begin(), sorted.end(), 0.0) / count, sorted[rank],
                    sorted.back()};
}

std::size_t HealthUpstream::healthy() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(endpoints, [](const HealthSeries& each) { return each.last.result.is_ok(); }));
}

bool HealthUpstream::can_serve() const {
  return std::ranges::any_of(endpoints,
                             [](const HealthSeries& each) { return each.last.weight > 0 && each.last.result.is_ok(); });
}

HealthView::HealthView(const std::vector<std::string>& names) {
  for (const auto& name : names) upstreams_.push_back({name, {}, {}});
}

void HealthView::add_round(std::vector<server::SurveyRow> rows) {
  ++rounds_;
  for (HealthUpstream& upstream : upstreams_) {
    std::vector<HealthSeries> now;
    for (auto& row : rows) {
      if (row.upstream != upstream.name) continue;
      const auto known = std::ranges::find_if(
          upstream.endpoints, [&](const HealthSeries& each) { return each.last.endpoint == row.endpoint; });
      // What a name leads to changes: those that have gone are forgotten.
      now.push_back(known != upstream.endpoints.end() ? std::move(*known) : HealthSeries());
      if (known != upstream.endpoints.end()) upstream.endpoints.erase(known);
      now.back().add(std::move(row));
    }
    upstream.endpoints = std::move(now);
  }
}

bool HealthView::can_serve() const { return std::ranges::all_of(upstreams_, &HealthUpstream::can_serve); }

}  // namespace rproxy::cli
