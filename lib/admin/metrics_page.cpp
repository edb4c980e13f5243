#include "admin/metrics_page.h"

#include <algorithm>
#include <array>
#include <optional>
#include <unordered_set>
#include <utility>

#include "admin/endpoint_view.h"
#include "admin/metrics_rows.h"
#include "admin/metrics_upstreams.h"
#include "metrics/text.h"

namespace rproxy::admin {
namespace {

using metrics::EndpointSeries;
using metrics::ListenerSeries;
using metrics::RouteSeries;
using metrics::Text;
using Type = metrics::Text::Type;

double seconds(std::chrono::nanoseconds time) { return std::chrono::duration<double>(time).count(); }

// Those of the same name have the same series, which counts once.
template <typename T>
void add_named(const std::vector<metrics::Catalogue::Named<T>>& all, Rows<T>& rows) {
  std::unordered_set<const void*> seen;
  for (const auto& [name, series] : all) {
    if (seen.insert(series.get()).second) series->add_to(rows.at(name, kOtherSeries));
  }
}

// What an endpoint is now, besides what it was asked.
struct EndpointNow {
  EndpointSeries series;
  std::uint64_t in_flight = 0;
  std::uint64_t weight = 0;
  std::uint64_t ejections = 0;
  double latency = 0;
  std::array<std::uint64_t, kStateNames.size()> states{};
};

using EndpointKey = std::pair<std::string, std::string>;

class Page {
 public:
  Page(const Subject& subject, TimePoint now) : subject_(subject), now_(now) {}

  std::string write() {
    put_process();
    put_listeners();
    put_routes();
    put_compression();
    put_cache();
    put_certificates();
    put_endpoints();
    put_upstreams(text_, subject_.serving, series_max(), now_);
    return text_.take();
  }

 private:
  std::size_t series_max() const { return static_cast<std::size_t>(subject_.serving.config->admin.max_series); }

  template <typename T>
  void put(const char* name, Type type, const char* help, T value) {
    text_.family(name, type, help);
    text_.sample({}, value);
  }

  void put_process() {
    text_.family("rproxy_build_info", Type::kGauge, "Always 1; the version is a label.");
    text_.sample({{"version", subject_.version}}, std::uint64_t{1});
    put("rproxy_start_time_seconds", Type::kGauge, "When the process began, in seconds since 1970.",
        seconds(subject_.started.time_since_epoch()));
    put("rproxy_workers", Type::kGauge, "Threads that serve.", std::uint64_t{subject_.workers});
    put("rproxy_draining", Type::kGauge, "1 while the proxy ends and takes no new connections.",
        std::uint64_t{subject_.is_draining() ? 1U : 0U});
    put("rproxy_config_revision", Type::kGauge, "Configurations that have served, the one that does included.",
        subject_.serving.revision);
    put("rproxy_config_time_seconds", Type::kGauge, "Since when this configuration serves, in seconds since 1970.",
        seconds(subject_.serving.since.time_since_epoch()));
    put("rproxy_connections_open", Type::kGauge, "Client connections.", subject_.open_connections());
    put("rproxy_connections_max", Type::kGauge, "Client connections that there may be.", subject_.max_connections());
    text_.family("rproxy_requests_failed_total", Type::kCounter,
                 "Requests that did not end well, by the access log's word for why.");
    metrics::WordCounters::Totals totals;
    subject_.serving.catalogue->terminations()->add_to(totals);
    for (const auto& [word, count] : totals) text_.sample({{"termination", word}}, count);
  }

  void put_certificates() {
    text_.family("rproxy_certificate_end_time_seconds", Type::kGauge,
                 "When a certificate that clients are shown ends, in seconds since 1970.");
    std::size_t left = series_max();
    for (const CertificateState& certificate : subject_.certificates()) {
      if (!certificate.not_after || certificate.names.empty() || left-- == 0) continue;
      text_.sample({{"name", certificate.names.front()}, {"source", certificate.source}},
                   seconds(certificate.not_after->time_since_epoch()));
    }
  }

  void put_listeners() {
    Rows<ListenerSeries> rows(series_max());
    add_named(subject_.serving.catalogue->listeners(), rows);
    const auto each = [&](const char* name, const char* help, const metrics::Counter ListenerSeries::*counter) {
      text_.family(name, Type::kCounter, help);
      for (const auto& [listener, total] : rows.all()) text_.sample({{"listener", listener}}, (total.*counter).value());
    };
    each("rproxy_connections_accepted_total", "Client connections accepted.", &ListenerSeries::accepted);
    each("rproxy_tls_handshakes_total", "TLS handshakes with clients that succeeded.", &ListenerSeries::tls_handshakes);
    each("rproxy_tls_handshake_failures_total", "TLS handshakes with clients that failed.",
         &ListenerSeries::tls_failures);
    each("rproxy_proxy_header_failures_total", "Connections closed for their PROXY header.",
         &ListenerSeries::proxy_header_failures);
    each("rproxy_http2_abuse_total", "HTTP/2 connections closed for abuse of the protocol.",
         &ListenerSeries::http2_abuse);
  }

  void put_routes() {
    Rows<RouteSeries> rows(series_max());
    add_named(subject_.serving.catalogue->routes(), rows);
    subject_.serving.catalogue->unmatched()->add_to(rows.at(kNoRoute, kNoRoute));
    text_.family("rproxy_requests_total", Type::kCounter, "Requests answered, by route and class of status.");
    for (const auto& [route, total] : rows.all()) put_classes("route", route, total.requests);
    text_.family("rproxy_request_duration_seconds", Type::kHistogram,
                 "From a request's head to the end of its answer.");
    for (const auto& [route, total] : rows.all()) text_.sample({{"route", route}}, total.duration);
    text_.family("rproxy_request_bytes_total", Type::kCounter, "Bytes of requests, heads included.");
    for (const auto& [route, total] : rows.all()) text_.sample({{"route", route}}, total.bytes_received.value());
    text_.family("rproxy_response_bytes_total", Type::kCounter, "Bytes of answers, heads included.");
    for (const auto& [route, total] : rows.all()) text_.sample({{"route", route}}, total.bytes_sent.value());
  }

  void put_compression() {
    Rows<RouteSeries> rows(series_max());
    add_named(subject_.serving.catalogue->routes(), rows);
    const auto each = [&](const char* name, const char* help, const char* label, const auto& names, auto counters) {
      text_.family(name, Type::kCounter, help);
      for (const auto& [route, total] : rows.all()) {
        for (std::size_t i = 0; i < names.size(); ++i) {
          const auto count = (total.compression.*counters).at(i).value();
          if (count != 0) text_.sample({{"route", route}, {label, names.at(i)}}, count);
        }
      }
    };
    using C = metrics::CompressionCounters;
    each("rproxy_compressed_responses_total", "Answers that were coded.", "coding", C::kCodingNames, &C::coded);
    each("rproxy_decompressed_contents_total", "Answers and requests that were decoded.", "coding", C::kCodingNames,
         &C::decoded);
    each("rproxy_compression_limited_total",
         "Answers coded at the lowest level (level), or not at all for want of time (load) or memory.", "limit",
         C::kLimitNames, &C::limited);
    const auto bytes = [&](const char* name, const char* help, const metrics::Counter C::*counter) {
      text_.family(name, Type::kCounter, help);
      for (const auto& [route, total] : rows.all()) {
        text_.sample({{"route", route}}, (total.compression.*counter).value());
      }
    };
    bytes("rproxy_compression_input_bytes_total", "Content that was coded.", &C::bytes_in);
    bytes("rproxy_compression_output_bytes_total", "What came of it.", &C::bytes_out);
  }

  void put_cache() {
    const auto& cache = subject_.serving.cache;
    if (cache == nullptr) return;
    Rows<RouteSeries> rows(series_max());
    add_named(subject_.serving.catalogue->routes(), rows);
    text_.family("rproxy_cache_requests_total", Type::kCounter,
                 "Requests to routes with a cache, by what it made of them.");
    for (const auto& [route, total] : rows.all()) {
      for (std::size_t i = 0; i < metrics::CacheCounters::kNames.size(); ++i) {
        if (const auto count = total.cache.value(i); count != 0) {
          text_.sample({{"route", route}, {"result", metrics::CacheCounters::kNames.at(i)}}, count);
        }
      }
    }
    storage::MemoryStore& memory = cache->memory();
    put("rproxy_cache_objects", Type::kGauge, "Answers that are stored in memory.", memory.counts().objects.load());
    put("rproxy_cache_bytes", Type::kGauge, "Memory that they take.", memory.bytes());
    put("rproxy_cache_bytes_max", Type::kGauge, "Memory that they may take.", memory.bytes_max());
    put("rproxy_cache_evicted_total", Type::kCounter, "Answers that went to make room.",
        memory.counts().evicted.load());
    put("rproxy_cache_filling_bytes", Type::kGauge, "Content of answers that are still coming.",
        static_cast<std::uint64_t>(std::max<std::int64_t>(cache->filling().load(), 0)));
    if (cache->disk() != nullptr) put_disk(*cache->disk());
  }

  void put_disk(const storage::DiskStore& disk) {
    const storage::DiskCounts& counts = disk.counts();
    put("rproxy_cache_disk_objects", Type::kGauge, "Answers that are known to be on the disk.", counts.objects.load());
    put("rproxy_cache_disk_objects_max", Type::kGauge, "How many may be there.", disk.limits().files);
    put("rproxy_cache_disk_bytes", Type::kGauge, "Disk that they take.", counts.bytes.load());
    put("rproxy_cache_disk_bytes_max", Type::kGauge, "Disk that they may take.", disk.limits().bytes);
    put("rproxy_cache_disk_scanned", Type::kGauge, "1: all that was there at the start has been looked at.",
        counts.scan_done.load() ? std::uint64_t{1} : std::uint64_t{0});
    put("rproxy_cache_disk_hits_total", Type::kCounter, "Look-ups that found what fits.", counts.hits.load());
    put("rproxy_cache_disk_misses_total", Type::kCounter, "Look-ups that did not.", counts.misses.load());
    put("rproxy_cache_disk_writes_total", Type::kCounter, "Answers written.", counts.writes.load());
    put("rproxy_cache_disk_write_failures_total", Type::kCounter, "Failures to write.", counts.write_failures.load());
    put("rproxy_cache_disk_read_failures_total", Type::kCounter, "Failures to read.", counts.read_failures.load());
    put("rproxy_cache_disk_dropped_total", Type::kCounter, "What the disk had no time for.", counts.dropped.load());
    put("rproxy_cache_disk_damaged_total", Type::kCounter, "Files found damaged, and removed.", counts.damaged.load());
    put("rproxy_cache_disk_evicted_total", Type::kCounter, "Files that went to make room.", counts.evicted.load());
    put("rproxy_cache_disk_purged_total", Type::kCounter, "Files that went by purges.", counts.purged.load());
  }

  void put_classes(const char* label, const std::string& name, const metrics::StatusCounters& counters) {
    for (std::size_t i = 0; i < metrics::StatusCounters::kNames.size(); ++i) {
      // There is hardly ever one.
      if (i == 0 && counters.value(0) == 0) continue;
      text_.sample({{label, name}, {"code", metrics::StatusCounters::kNames.at(i)}}, counters.value(i));
    }
  }

  void add_endpoint(const std::string& upstream, const upstream::Endpoint& endpoint) {
    EndpointNow& row = endpoints_->at({upstream, address_of(endpoint)}, {kOtherSeries, kOtherSeries});
    endpoint.series.add_to(row.series);
    row.in_flight += endpoint.state.in_flight();
    row.weight += endpoint.state.weight();
    row.ejections += endpoint.state.ejections();
    row.latency = std::max(row.latency, seconds(endpoint.state.latency()));
    ++row.states.at(static_cast<std::size_t>(state_of(endpoint.state, now_)));
  }

  template <typename Value>
  void put_each(const char* name, Type type, const char* help, Value value) {
    text_.family(name, type, help);
    for (const auto& [key, row] : endpoints_->all()) {
      text_.sample({{"upstream", key.first}, {"endpoint", key.second}}, value(row));
    }
  }

  void put_histogram(const char* name, const char* help, const metrics::Histogram EndpointSeries::*histogram) {
    text_.family(name, Type::kHistogram, help);
    for (const auto& [key, row] : endpoints_->all()) {
      text_.sample({{"upstream", key.first}, {"endpoint", key.second}}, row.series.*histogram);
    }
  }

  void put_endpoints() {
    endpoints_.emplace(series_max());
    for (const auto& upstream : subject_.serving.upstreams) {
      const auto set = upstream->endpoints();
      for (const auto& endpoint : set->endpoints()) add_endpoint(upstream->name(), *endpoint);
    }
    put_each("rproxy_endpoint_requests_total", Type::kCounter, "Attempts at an endpoint, retries included.",
             [](const EndpointNow& row) { return row.series.requests.value(); });
    put_each("rproxy_endpoint_retries_total", Type::kCounter, "Attempts after another one had failed.",
             [](const EndpointNow& row) { return row.series.retries.value(); });
    put_responses();
    put_failures();
    put_each("rproxy_endpoint_ejections_total", Type::kCounter, "How often an endpoint was left alone for failing.",
             [](const EndpointNow& row) { return row.ejections; });
    put_histogram("rproxy_endpoint_connect_seconds", "To make a new connection, TLS included.",
                  &EndpointSeries::connect);
    put_histogram("rproxy_endpoint_first_byte_seconds", "From a request sent to the head of its response.",
                  &EndpointSeries::first_byte);
    put_each("rproxy_endpoint_in_flight", Type::kGauge, "Requests under way.",
             [](const EndpointNow& row) { return row.in_flight; });
    put_each("rproxy_endpoint_weight", Type::kGauge, "Its share of requests, against its peers'.",
             [](const EndpointNow& row) { return row.weight; });
    put_each("rproxy_endpoint_latency_seconds", Type::kGauge, "The moving average of latency that balancing goes by.",
             [](const EndpointNow& row) { return row.latency; });
    put_states();
  }

  void put_responses() {
    text_.family("rproxy_endpoint_responses_total", Type::kCounter, "Responses of an endpoint, by class of status.");
    for (const auto& [key, row] : endpoints_->all()) {
      for (std::size_t i = 2; i < metrics::StatusCounters::kNames.size(); ++i) {
        text_.sample(
            {{"upstream", key.first}, {"endpoint", key.second}, {"code", metrics::StatusCounters::kNames.at(i)}},
            row.series.responses.value(i));
      }
    }
  }

  void put_failures() {
    text_.family("rproxy_endpoint_failures_total", Type::kCounter, "Attempts without a response, by what was wrong.");
    for (const auto& [key, row] : endpoints_->all()) {
      for (std::size_t i = 0; i < metrics::kFailureNames.size(); ++i) {
        text_.sample({{"upstream", key.first}, {"endpoint", key.second}, {"kind", metrics::kFailureNames.at(i)}},
                     row.series.failures.at(i).value());
      }
    }
  }

  void put_states() {
    text_.family("rproxy_endpoint_state", Type::kGauge, "How many endpoints are in this state: one, or none.");
    for (const auto& [key, row] : endpoints_->all()) {
      for (std::size_t i = 0; i < kStateNames.size(); ++i) {
        text_.sample({{"upstream", key.first}, {"endpoint", key.second}, {"state", kStateNames.at(i)}},
                     row.states.at(i));
      }
    }
  }

  const Subject& subject_;
  TimePoint now_;
  Text text_;
  std::optional<Rows<EndpointNow, EndpointKey>> endpoints_;
};

}  // namespace

std::string metrics_page(const Subject& subject, TimePoint now) { return Page(subject, now).write(); }

}  // namespace rproxy::admin
