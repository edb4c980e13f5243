#include "check/examine.h"

#include <algorithm>
#include <utility>

#include "check/allowances.h"
#include "check/lint.h"
#include "check/tls_check.h"

namespace rproxy::check {
namespace {

bool has(const std::vector<std::string>& ids, const std::string& id) { return std::ranges::find(ids, id) != ids.end(); }

void apply(const ExamineOptions& options, std::vector<config::Diagnostic>& findings) {
  for (config::Diagnostic& finding : findings) {
    if (options.is_strict || has(options.denied, finding.id)) finding.severity = config::Severity::kError;
  }
}

void leave_out(const ExamineOptions& options, std::vector<config::Diagnostic>& findings) {
  std::erase_if(findings, [&](const config::Diagnostic& finding) {
    return finding.severity == config::Severity::kWarning && has(options.allowed, finding.id) &&
           !has(options.denied, finding.id);
  });
}

}  // namespace

Report examine(const std::string& path, config::Loaded& loaded, const ExamineOptions& options) {
  check_tls(loaded);
  Report report{path, loaded.diagnostics, {}, loaded.tree != nullptr};
  config::Problems problems;
  Allowances allowances(loaded, problems);
  if (loaded.ok()) {
    auto found = lint(loaded);
    std::ranges::move(found, std::back_inserter(report.findings));
  }
  allowances.apply(report.findings);
  if (loaded.ok()) allowances.report_unused(problems);
  std::ranges::move(problems.list(), std::back_inserter(report.findings));
  leave_out(options, report.findings);
  apply(options, report.findings);
  config::sort_diagnostics(report.findings);
  return report;
}

}  // namespace rproxy::check
