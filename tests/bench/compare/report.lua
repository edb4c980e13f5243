function done(summary, latency)
  local e = summary.errors
  io.write(string.format("report %d %d %f %d %d %d\n", summary.requests,
    e.connect + e.read + e.write + e.status + e.timeout,
    summary.requests / (summary.duration / 1e6),
    latency:percentile(50), latency:percentile(99), latency:percentile(99.9)))
end
