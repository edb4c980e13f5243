// What `rproxy health` knows of the endpoints it has looked at, and the ways to show it.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "server/survey.h"

namespace rproxy::cli {

// What a running proxy makes of an endpoint.
struct ProxyOpinion {
  std::string state;                 // "available", "ejected"...; empty: it does not have it
  std::vector<std::string> reasons;  // all that keeps requests away
  std::string health;
  std::string health_reason;
  std::string difference;  // between it and the probe, explained; empty: there is none
};

// One endpoint over all rounds.
struct HealthSeries {
  server::SurveyRow last;
  std::vector<double> latencies_ms;  // of the probes that succeeded
  std::uint64_t sent = 0;
  std::uint64_t lost = 0;
  std::vector<std::optional<double>> history;  // the latest probes; nothing for one that failed
  std::optional<ProxyOpinion> proxy;           // where one was asked

  void add(server::SurveyRow row);
  double loss_percent() const { return sent == 0 ? 0 : 100.0 * static_cast<double>(lost) / static_cast<double>(sent); }

  struct Statistics {
    double min = 0;
    double average = 0;
    double p95 = 0;
    double max = 0;
  };
  std::optional<Statistics> statistics() const;  // nothing where no probe succeeded
};

struct HealthUpstream {
  std::string name;
  std::vector<HealthSeries> endpoints;
  std::vector<std::string> notes;  // what differs in the proxy that was asked, of no endpoint here

  std::size_t healthy() const;
  bool can_serve() const;
};

class HealthView {
 public:
  explicit HealthView(const std::vector<std::string>& names);
  void add_round(std::vector<server::SurveyRow> rows);
  // Upstreams of which no endpoint was looked at.
  void forget_empty() {
    std::erase_if(upstreams_, [](const HealthUpstream& each) { return each.endpoints.empty(); });
  }

  std::vector<HealthUpstream>& upstreams() { return upstreams_; }
  const std::vector<HealthUpstream>& upstreams() const { return upstreams_; }
  std::uint64_t rounds() const { return rounds_; }
  bool can_serve() const;  // every upstream

 private:
  std::vector<HealthUpstream> upstreams_;
  std::uint64_t rounds_ = 0;
};

// Adds what the proxy says of the upstream: the content of its GET /upstreams/NAME. False where that can't be read.
bool add_opinions(HealthUpstream& upstream, const std::string& json);

// --warn and --crit: beyond them is worse.
struct HealthThreshold {
  std::optional<Duration> latency;     // of a probe
  std::optional<std::size_t> healthy;  // endpoints of an upstream
};

// All end in a newline. `now` is for what is left of certificates.
using WallTime = std::chrono::system_clock::time_point;
std::string health_table(const HealthView& view, WallTime now, bool statistics, bool color);
std::string health_watch(const HealthView& view, WallTime now, bool color);
// One line for each endpoint.
std::string health_lines(const HealthView& view, WallTime now);
std::string health_json(const HealthView& view, WallTime now);
std::string health_prometheus(const HealthView& view);

struct HealthVerdict {
  std::string text;
  int code = 0;
};
// The line of what could not be found out; its code is kNagiosUnknown.
std::string health_unknown(const std::string& why);
// In the way of Nagios' plugins: one line, performance data behind '|', and 0 ok, 1 warning, 2 critical, 3 unknown.
HealthVerdict health_nagios(const HealthView& view, const HealthThreshold& warn, const HealthThreshold& crit);

}  // namespace rproxy::cli
