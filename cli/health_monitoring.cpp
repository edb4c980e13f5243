#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "cli/health.h"
#include "cli/nagios.h"

namespace rproxy::cli {
namespace {

using upstream::ProbeResult;
using namespace nagios;

double seconds(std::chrono::microseconds time) { return static_cast<double>(time.count()) / 1e6; }

// ---- Nagios.

bool is_slow(const ProbeResult& result, const HealthThreshold& threshold) {
  return threshold.latency && result.is_ok() && result.total > *threshold.latency;
}

std::string latency_limit(const HealthThreshold& threshold) {
  return threshold.latency ? fmt::format("{:.3f}", static_cast<double>(threshold.latency->count()) / 1000) : "";
}

// "2:": fewer than two are out of it.
std::string healthy_limit(std::optional<std::size_t> least) { return least ? fmt::format("{}:", *least) : ""; }

void judge(const HealthUpstream& upstream, const HealthThreshold& warn, const HealthThreshold& crit,
           Findings& findings) {
  const std::size_t healthy = upstream.healthy();
  const std::size_t all = upstream.endpoints.size();
  const bool is_critical = !upstream.can_serve() || (crit.healthy && healthy < *crit.healthy);
  // Without a number of its own any failure is worth a warning.
  const bool is_short = warn.healthy ? healthy < *warn.healthy : healthy < all;
  findings.add(is_critical ? kCritical
               : is_short  ? kWarning
                           : kFine,
               fmt::format("{} has {} of {} healthy{}", upstream.name, healthy, all,
                           upstream.can_serve() ? "" : " and can't serve"));
  for (const HealthSeries& series : upstream.endpoints) {
    const ProbeResult& result = series.last.result;
    const std::string name = upstream.name + " " + series.last.endpoint;
    if (!result.is_ok() && (is_critical || is_short)) {
      findings.add(is_critical ? kCritical : kWarning, fmt::format("{}: {}", name, result.reason));
    } else if (is_slow(result, crit) || is_slow(result, warn)) {
      findings.add(is_slow(result, crit) ? kCritical : kWarning,
                   fmt::format("{} took {:.3f} s", name, seconds(result.total)));
    }
  }
}

std::string performance(const HealthView& view, const HealthThreshold& warn, const HealthThreshold& crit) {
  std::string out;
  for (const HealthUpstream& upstream : view.upstreams()) {
    out += fmt::format(" '{} healthy'={};{};{};0;{}", plain_label(upstream.name), upstream.healthy(),
                       healthy_limit(warn.healthy ? warn.healthy : upstream.endpoints.size()),
                       healthy_limit(crit.healthy ? *crit.healthy : 1), upstream.endpoints.size());
    for (const HealthSeries& series : upstream.endpoints) {
      // "U": nothing was measured.
      const bool ok = series.last.result.is_ok();
      out += fmt::format(" '{} {}'={};{};{};0", plain_label(upstream.name), plain_label(series.last.endpoint),
                         ok ? fmt::format("{:.6f}s", seconds(series.last.result.total)) : "U", latency_limit(warn),
                         latency_limit(crit));
    }
  }
  return out;
}

// ---- Prometheus.

std::string label(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

class Metrics {
 public:
  explicit Metrics(const HealthView& view) : view_(view) {}

  // `value` gives nothing where there is none.
  template <typename Value>
  void add(std::string_view name, std::string_view help, Value value) {
    std::string lines;
    for (const HealthUpstream& upstream : view_.upstreams()) {
      for (const HealthSeries& series : upstream.endpoints) {
        const std::optional<double> found = value(series.last.result);
        if (!found) continue;
        lines += fmt::format("rproxy_health_{}{{upstream=\"{}\",endpoint=\"{}\"}} {}\n", name, label(upstream.name),
                             label(series.last.endpoint), *found);
      }
    }
    put(name, help, lines);
  }
  void put(std::string_view name, std::string_view help, const std::string& lines) {
    if (lines.empty()) return;
    out_ += fmt::format("# HELP rproxy_health_{0} {1}\n# TYPE rproxy_health_{0} gauge\n{2}", name, help, lines);
  }
  void add_phases() {
    std::string lines;
    for (const HealthUpstream& upstream : view_.upstreams()) {
      for (const HealthSeries& series : upstream.endpoints) {
        const ProbeResult& result = series.last.result;
        const std::pair<std::string_view, ProbeResult::Time> phases[] = {{"dns", result.resolve},
                                                                         {"connect", result.connect},
                                                                         {"tls", result.tls},
                                                                         {"first_byte", result.first_byte}};
        for (const auto& [phase, time] : phases) {
          if (!time) continue;
          lines += fmt::format("rproxy_health_phase_seconds{{upstream=\"{}\",endpoint=\"{}\",phase=\"{}\"}} {:.6f}\n",
                               label(upstream.name), label(series.last.endpoint), phase, seconds(*time));
        }
      }
    }
    put("phase_seconds", "What parts of the last probe took.", lines);
  }
  void add_upstreams() {
    std::string lines;
    for (const HealthUpstream& upstream : view_.upstreams()) {
      lines += fmt::format("rproxy_health_can_serve{{upstream=\"{}\"}} {}\n", label(upstream.name),
                           upstream.can_serve() ? 1 : 0);
    }
    put("can_serve", "1 where the upstream has an endpoint that takes requests.", lines);
  }
  std::string take() { return std::move(out_); }

 private:
  const HealthView& view_;
  std::string out_;
};

}  // namespace

std::string health_unknown(const std::string& why) { return unknown("HEALTH", why); }

HealthVerdict health_nagios(const HealthView& view, const HealthThreshold& warn, const HealthThreshold& crit) {
  if (view.upstreams().empty()) return {health_unknown("there are no upstreams"), kUnknown};
  Findings findings;
  std::size_t healthy = 0;
  std::size_t all = 0;
  for (const HealthUpstream& upstream : view.upstreams()) {
    judge(upstream, warn, crit, findings);
    healthy += upstream.healthy();
    all += upstream.endpoints.size();
  }
  if (findings.text.empty()) findings.text = fmt::format("{} of {} endpoints healthy", healthy, all);
  return {fmt::format("HEALTH {} - {} |{}\n", word(findings.level), findings.text, performance(view, warn, crit)),
          findings.level};
}

std::string health_prometheus(const HealthView& view) {
  Metrics metrics(view);
  metrics.add_upstreams();
  metrics.add("up", "1 where the last probe succeeded.",
              [](const ProbeResult& r) { return std::optional<double>(r.is_ok() ? 1 : 0); });
  metrics.add("probe_seconds", "What the last probe took.",
              [](const ProbeResult& r) { return std::optional<double>(seconds(r.total)); });
  metrics.add_phases();
  metrics.add("http_status", "The last answer's status.",
              [](const ProbeResult& r) { return r.status != 0 ? std::optional<double>(r.status) : std::nullopt; });
  metrics.add("certificate_end_seconds", "When the certificate ends, in Unix time.", [](const ProbeResult& r) {
    using std::chrono::duration_cast;
    if (!r.certificate_end) return std::optional<double>();
    return std::optional<double>(
        static_cast<double>(duration_cast<std::chrono::seconds>(r.certificate_end->time_since_epoch()).count()));
  });
  return metrics.take();
}

}  // namespace rproxy::cli
