#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "cli/health.h"
#include "config/text.h"

namespace rproxy::cli {
namespace {

using upstream::ProbeResult;

constexpr std::size_t kWidth = 80;
constexpr std::size_t kIndent = 7;
constexpr std::size_t kNoteIndent = 2;      // of no endpoint
constexpr std::size_t kEndpointWidth = 21;  // any IPv4 address with its port

std::string time_of(ProbeResult::Time time) {
  if (!time) return "-";
  const double ms = static_cast<double>(time->count()) / 1000;
  return ms < 100 ? fmt::format("{:.1f}", ms) : fmt::format("{:.0f}", ms);
}

std::string certificate_of(const ProbeResult& result, WallTime now) {
  if (!result.certificate_end) return "-";
  const auto left = std::chrono::floor<std::chrono::hours>(*result.certificate_end - now);
  if (*result.certificate_end <= now) return "expired";
  const auto days = left.count() / 24;
  return days > 0 ? fmt::format("{}d", days) : fmt::format("{}h", left.count());
}

std::string painted(std::string_view text, bool ok, bool color) {
  if (!color) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", ok ? 32 : 31, text);
}

// Words in lines that fit behind an indent.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::string out;
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    const std::size_t size = end - at;
    if (column > 0 && column + 1 + size > kWidth - indent) {
      out += '\n';
      column = 0;
    }
    if (column == 0) {
      out.append(indent, ' ');
    } else {
      out += ' ';
      ++column;
    }
    out += text.substr(at, size);
    column += size;
    at = end + 1;
  }
  return out + "\n";
}

// A name too long for its column has a line of its own.
std::string endpoint_cell(const std::string& endpoint) {
  const std::string shown = config::printable(endpoint);
  if (shown.size() <= kEndpointWidth) return fmt::format("{:<{}}", shown, kEndpointWidth);
  return fmt::format("{}\n{:{}}", shown, "", kEndpointWidth + kIndent);
}

std::string headline(const HealthUpstream& upstream) {
  const std::size_t all = upstream.endpoints.size();
  return fmt::format("{}: {} of {} {}{}\n", config::printable(upstream.name), upstream.healthy(), all, "healthy",
                     upstream.can_serve() ? "" : ", CAN'T SERVE");
}

std::string opinion_of(const ProxyOpinion& opinion) {
  std::string out =
      wrapped("proxy: " + config::printable(opinion.state.empty() ? "not there" : opinion.state), kIndent);
  if (!opinion.difference.empty()) out += wrapped("differs: " + config::printable(opinion.difference), kIndent);
  return out;
}

std::string row_of(const HealthSeries& series, WallTime now, bool color) {
  const ProbeResult& result = series.last.result;
  const std::string state = painted(fmt::format("{:<4}", result.is_ok() ? "ok" : "FAIL"), result.is_ok(), color);
  const std::string status = result.status != 0 ? std::to_string(result.status) : "-";
  std::string row =
      fmt::format("  {} {} {:>3} {:>6} {:>7} {:>6} {:>6} {:>6} {:>7}", state, endpoint_cell(series.last.endpoint),
                  status, time_of(result.resolve), time_of(result.connect), time_of(result.tls),
                  time_of(result.first_byte), time_of(result.total), certificate_of(result, now));
  row += '\n';
  if (!result.is_ok()) row += wrapped(config::printable(result.reason), kIndent);
  if (series.last.weight == 0) row += wrapped("takes no requests: its weight is 0", kIndent);
  if (series.proxy) row += opinion_of(*series.proxy);
  return row;
}

std::string statistics_of(const HealthSeries& series) {
  const auto found = series.statistics();
  const std::string counts = fmt::format("{} sent, {:.0f}% lost", series.sent, series.loss_percent());
  if (!found) return wrapped(counts, kIndent);
  return wrapped(fmt::format("{}; min {:.1f}, avg {:.1f}, p95 {:.1f}, max {:.1f} ms", counts, found->min,
                             found->average, found->p95, found->max),
                 kIndent);
}

std::string notes_of(const HealthUpstream& upstream) {
  std::string out;
  for (const auto& note : upstream.notes) out += wrapped("differs: " + config::printable(note), kNoteIndent);
  return out;
}

std::string header() {
  return fmt::format("{:{}}{:<{}} {:>4} {:>6} {:>7} {:>6} {:>6} {:>6} {:>7}\n", "", kIndent, "ENDPOINT",
                     kEndpointWidth - 1, "HTTP", "DNS", "CONNECT", "TLS", "FIRST", "TOTAL", "CERT");
}

// One bar for each probe, 'x' for one that failed.
std::string sparkline(const HealthSeries& series, bool color) {
  static constexpr std::array kBars{"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  double most = 0;
  for (const auto& each : series.history) most = std::max(most, each.value_or(0));
  std::string line;
  for (const auto& each : series.history) {
    if (!each) {
      line += painted("x", false, color);
      continue;
    }
    const double share = most > 0 ? *each / most : 0;
    line += kBars[std::min(kBars.size() - 1, static_cast<std::size_t>(share * static_cast<double>(kBars.size())))];
  }
  return line;
}

}  // namespace

std::string health_table(const HealthView& view, WallTime now, bool statistics, bool color) {
  std::string out;
  for (const HealthUpstream& upstream : view.upstreams()) {
    if (!out.empty()) out += '\n';
    out += headline(upstream);
    out += header();
    for (const HealthSeries& series : upstream.endpoints) {
      out += row_of(series, now, color);
      if (statistics) out += statistics_of(series);
    }
    out += notes_of(upstream);
  }
  return out.empty() ? "there are no upstreams\n" : out + "\nTimes are in milliseconds.\n";
}

std::string health_watch(const HealthView& view, WallTime now, bool color) {
  std::string out = fmt::format("{:%Y-%m-%d %H:%M:%S} UTC, round {}; Ctrl-C ends\n\n", fmt::gmtime(now), view.rounds());
  for (const HealthUpstream& upstream : view.upstreams()) {
    out += headline(upstream);
    out += header();
    for (const HealthSeries& series : upstream.endpoints) {
      out += row_of(series, now, color);
      out += fmt::format("{:{}}{}\n", "", kIndent, sparkline(series, color));
      out += statistics_of(series);
    }
    out += notes_of(upstream) + '\n';
  }
  return out;
}

std::string health_lines(const HealthView& view, WallTime now) {
  std::string out;
  for (const HealthUpstream& upstream : view.upstreams()) {
    for (const HealthSeries& series : upstream.endpoints) {
      const ProbeResult& result = series.last.result;
      out += fmt::format("{:%Y-%m-%dT%H:%M:%SZ} {} {} {} {} ms: {}",
                         fmt::gmtime(std::chrono::floor<std::chrono::seconds>(now)), config::printable(upstream.name),
                         config::printable(series.last.endpoint), result.is_ok() ? "ok" : "FAIL", time_of(result.total),
                         config::printable(result.reason));
      const bool differs = series.proxy && !series.proxy->difference.empty();
      out += differs ? fmt::format("; differs: {}\n", config::printable(series.proxy->difference)) : "\n";
    }
  }
  return out;
}

}  // namespace rproxy::cli
