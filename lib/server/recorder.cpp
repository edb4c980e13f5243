#include "server/recorder.h"

namespace rproxy::server {

void Recorder::finished(const exchange::Request& request, const exchange::Outcome& outcome) {
  const exchange::Trace& trace = request.trace;
  metrics::RouteSeries& series = trace.series != nullptr ? *trace.series : unmatched_here_;
  series.requests.count(outcome.status);
  // The event's time, which is there already: reading the clock costs more than all the rest.
  series.duration.observe(std::chrono::duration_cast<std::chrono::microseconds>(request.loop->now() - trace.start));
  series.bytes_received.add(outcome.bytes_received);
  series.bytes_sent.add(outcome.bytes_sent);
  if (!trace.cache.empty()) series.cache.count(trace.cache);
  if (outcome.termination != "ok") terminations_here_.count(outcome.termination);
  if (next_ != nullptr) next_->finished(request, outcome);
}

}  // namespace rproxy::server
