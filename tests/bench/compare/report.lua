function done(summary, latency)
  local e = summary.errors
  io.write(string.format("report %d %d %d %d %d %f\n", summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout,
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9),
    summary.requests / (summary.duration / 1e6)))
end
