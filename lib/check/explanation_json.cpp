#include <nlohmann/json.hpp>

#include "check/explanation.h"

namespace rproxy::check {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const config::Location& at) { return {{"file", at.file}, {"line", at.line}}; }

Json json_of(const std::vector<Explanation::Named>& named) {
  Json list = Json::array();
  for (const auto& [name, value] : named) list.push_back({{"name", name}, {"value", value}});
  return list;
}

Json route_of(const Explanation& explanation) {
  if (!explanation.route) return nullptr;
  return {{"name", explanation.route_name},
          {"index", *explanation.route},
          {"at", json_of(explanation.route_at)},
          {"conditions", json_of(explanation.conditions)}};
}

Json runners_up_of(const Explanation& explanation) {
  Json list = Json::array();
  for (const auto& each : explanation.runners_up)
    list.push_back({{"name", each.route}, {"at", json_of(each.at)}, {"reason", each.reason}});
  return list;
}

Json answer_of(const Explanation& explanation) {
  if (explanation.status == 0) return nullptr;
  Json answer{{"status", explanation.status}};
  if (!explanation.reason.empty()) answer["reason"] = explanation.reason;
  if (!explanation.location.empty()) answer["location"] = explanation.location;
  return answer;
}

Json upstream_of(const Explanation& explanation) {
  if (explanation.upstream.empty()) return nullptr;
  Json servers = Json::array();
  for (const auto& server : explanation.servers)
    servers.push_back({{"address", server.address}, {"state", server.state}});
  return {{"name", explanation.upstream},
          {"path", explanation.rewritten},
          {"host", explanation.host},
          {"servers", std::move(servers)}};
}

}  // namespace

std::string render_json(const Explanation& explanation) {
  const Json made{
      {"request", explanation.request},
      {"client", explanation.client},
      {"listener", explanation.listener},
      {"path", explanation.path},
      {"route", route_of(explanation)},
      {"runners_up", runners_up_of(explanation)},
      {"steps", json_of(explanation.steps)},
      {"answer", answer_of(explanation)},
      {"upstream", upstream_of(explanation)},
      {"request_headers", {{"added", json_of(explanation.added)}, {"removed", json_of(explanation.removed)}}},
      {"withheld", explanation.withheld}};
  return made.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rproxy::check
