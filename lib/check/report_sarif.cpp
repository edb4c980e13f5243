#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "check/catalogue.h"
#include "check/report.h"
#include "http/characters.h"

namespace rproxy::check {
namespace {

using Json = nlohmann::ordered_json;

// A path as a URI reference: absolute ones as file:, the others relative to where the tool was run.
std::string uri_of(const std::string& path) {
  std::string out = path.starts_with('/') ? "file://" : "";
  for (const char c : path) {
    if (c == '/' || http::is(c, http::kUnreservedChar)) {
      out += c;
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

Json rules() {
  Json list = Json::array();
  for (const auto& entry : catalogue()) {
    list.push_back({{"id", entry.id},
                    {"shortDescription", {{"text", entry.title}}},
                    {"defaultConfiguration", {{"level", severity_name(entry.severity)}}},
                    {"help", {{"text", fmt::format("See {} in rproxy-diagnostics(7).", entry.id)}}}});
  }
  return list;
}

Json location_of(const config::Location& at) {
  Json physical{{"artifactLocation", {{"uri", uri_of(at.file)}}}};
  if (at.line != 0) physical["region"] = {{"startLine", at.line}, {"startColumn", std::max<std::size_t>(at.column, 1)}};
  return {{"physicalLocation", std::move(physical)}};
}

Json result_of(const config::Diagnostic& finding) {
  const auto known = catalogue();
  const auto entry = std::ranges::find(known, finding.id, &CatalogueEntry::id);
  return {{"ruleId", finding.id},
          {"ruleIndex", entry - known.begin()},
          {"level", severity_name(finding.severity)},
          {"message", {{"text", fmt::format("{}. Remedy: {}", finding.message, finding.remedy)}}},
          {"locations", Json::array({location_of(finding.at)})}};
}

}  // namespace

std::string render_sarif(std::span<const Report> reports, std::string_view version) {
  Json results = Json::array();
  for (const Report& report : reports) {
    for (const auto& finding : report.findings) results.push_back(result_of(finding));
  }
  const Json run{{"tool", {{"driver", {{"name", "rproxy route-check"}, {"version", version}, {"rules", rules()}}}}},
                 {"columnKind", "unicodeCodePoints"},
                 {"results", std::move(results)}};
  const Json log{
      {"$schema", "https://json.schemastore.org/sarif-2.1.0.json"}, {"version", "2.1.0"}, {"runs", Json::array({run})}};
  return log.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rproxy::check
