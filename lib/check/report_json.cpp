#include <nlohmann/json.hpp>

#include "check/report.h"

namespace rproxy::check {
namespace {

using Json = nlohmann::ordered_json;

Json json_of(const config::Diagnostic& finding) {
  return {{"id", finding.id},
          {"severity", severity_name(finding.severity)},
          {"file", finding.at.file},
          {"line", finding.at.line},
          {"column", finding.at.column},
          {"message", finding.message},
          {"remedy", finding.remedy}};
}

Json json_of(const TestOutcome& test) {
  Json made{{"name", test.name}, {"file", test.at.file}, {"line", test.at.line}, {"passed", test.failure.empty()}};
  if (!test.failure.empty()) made["failure"] = test.failure;
  return made;
}

Json json_of(const Report& report) {
  Json findings = Json::array();
  for (const auto& finding : report.findings) findings.push_back(json_of(finding));
  Json tests = Json::array();
  for (const auto& test : report.tests) tests.push_back(json_of(test));
  return {{"file", report.file}, {"findings", std::move(findings)}, {"tests", std::move(tests)}};
}

}  // namespace

std::string render_json(std::span<const Report> reports) {
  Json files = Json::array();
  for (const Report& report : reports) files.push_back(json_of(report));
  // A file is not bound to be UTF-8, and its name is not either.
  return Json{{"files", std::move(files)}}.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace rproxy::check
