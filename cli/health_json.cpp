#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/health.h"

namespace rproxy::cli {
namespace {

using Json = nlohmann::ordered_json;
using upstream::ProbeResult;

std::string instant(WallTime time) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(std::chrono::floor<std::chrono::seconds>(time)));
}

Json time_of(ProbeResult::Time time) { return time ? Json(static_cast<double>(time->count()) / 1000) : Json(); }

Json endpoint_of(const HealthSeries& series) {
  const ProbeResult& result = series.last.result;
  Json json;
  json["address"] = series.last.endpoint;
  json["weight"] = series.last.weight;
  json["ok"] = result.is_ok();
  json["failure"] = result.is_ok() ? Json() : Json(upstream::to_string(result.failure));
  json["reason"] = result.reason;
  json["status"] = result.status != 0 ? Json(result.status) : Json();
  json["latency_ms"] = {{"dns", time_of(result.resolve)},
                        {"connect", time_of(result.connect)},
                        {"tls", time_of(result.tls)},
                        {"first_byte", time_of(result.first_byte)},
                        {"total", time_of(result.total)}};
  json["certificate_expires"] = result.certificate_end ? Json(instant(*result.certificate_end)) : Json();
  Json statistics = {{"sent", series.sent}, {"lost", series.lost}, {"loss_percent", series.loss_percent()}};
  const auto found = series.statistics();
  statistics["min_ms"] = found ? Json(found->min) : Json();
  statistics["avg_ms"] = found ? Json(found->average) : Json();
  statistics["p95_ms"] = found ? Json(found->p95) : Json();
  statistics["max_ms"] = found ? Json(found->max) : Json();
  json["statistics"] = std::move(statistics);
  if (const auto& proxy = series.proxy) {
    json["proxy"] = {{"state", proxy->state.empty() ? Json() : Json(proxy->state)},
                     {"reasons", proxy->reasons},
                     {"health", proxy->health},
                     {"health_reason", proxy->health_reason},
                     {"difference", proxy->difference.empty() ? Json() : Json(proxy->difference)}};
  }
  return json;
}

}  // namespace

std::string health_json(const HealthView& view, WallTime now) {
  Json json;
  json["ok"] = view.can_serve();
  json["time"] = instant(now);
  json["upstreams"] = Json::array();
  for (const HealthUpstream& upstream : view.upstreams()) {
    Json each;
    each["name"] = upstream.name;
    each["can_serve"] = upstream.can_serve();
    each["healthy"] = upstream.healthy();
    each["endpoints"] = Json::array();
    for (const HealthSeries& series : upstream.endpoints) each["endpoints"].push_back(endpoint_of(series));
    if (!upstream.notes.empty()) each["notes"] = upstream.notes;
    json["upstreams"].push_back(std::move(each));
  }
  // What a server has said may be in no encoding at all.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rproxy::cli
