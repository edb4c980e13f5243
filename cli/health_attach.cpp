#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "cli/health.h"

namespace rproxy::cli {
namespace {

using Json = nlohmann::json;

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

ProxyOpinion read_opinion(const Json& endpoint) {
  ProxyOpinion opinion{
      text_of(endpoint, "state"), {}, text_of(endpoint, "health"), text_of(endpoint, "health_reason"), {}};
  if (const auto reasons = endpoint.find("reasons"); reasons != endpoint.end() && reasons->is_array()) {
    for (const auto& reason : *reasons) {
      if (reason.is_string()) opinion.reasons.push_back(reason.get<std::string>());
    }
  }
  return opinion;
}

bool takes_requests(const ProxyOpinion& opinion) { return opinion.state == "available" || opinion.state == "full"; }

std::string explain(const upstream::ProbeResult& probe, const ProxyOpinion& opinion) {
  if (opinion.state.empty())
    return "the proxy does not have it: it runs with another configuration, or it was removed there";
  if (probe.is_ok() && !takes_requests(opinion)) {
    return fmt::format("the probe succeeds, but the proxy sends it no requests: {}",
                       opinion.reasons.empty() ? opinion.state : fmt::format("{}", fmt::join(opinion.reasons, "; ")));
  }
  if (!probe.is_ok() && takes_requests(opinion)) {
    if (opinion.health == "unknown")
      return "the probe fails, but the proxy uses it: it has not checked it, and its requests have not failed often "
             "enough";
    return fmt::format(
        "the probe fails, but the proxy uses it: its last check said \"{}\"; it may have failed since, or "
        "it is reachable from there alone",
        opinion.health_reason);
  }
  return {};
}

}  // namespace

bool add_opinions(HealthUpstream& upstream, const std::string& json) {
  const Json parsed = Json::parse(json, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("endpoints") || !parsed["endpoints"].is_array()) return false;
  for (HealthSeries& series : upstream.endpoints) series.proxy.emplace();
  for (const auto& endpoint : parsed["endpoints"]) {
    if (!endpoint.is_object()) continue;
    const std::string address = text_of(endpoint, "address");
    const auto known = std::ranges::find_if(upstream.endpoints, [&](const HealthSeries& s) {
      return s.last.endpoint == address || s.last.endpoint == text_of(endpoint, "configured");
    });
    if (known != upstream.endpoints.end()) {
      known->proxy = read_opinion(endpoint);
    } else {
      upstream.notes.push_back(
          fmt::format("the proxy has {} as well, which was not probed ({})", address, text_of(endpoint, "state")));
    }
  }
  for (HealthSeries& series : upstream.endpoints) series.proxy->difference = explain(series.last.result, *series.proxy);
  return true;
}

}  // namespace rproxy::cli
