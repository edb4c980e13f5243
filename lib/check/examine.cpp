#include "check/examine.h"

#include <algorithm>
#include <utility>

#include "check/allowances.h"
#include "check/files_check.h"
#include "check/judge.h"
#include "check/lint.h"
#include "check/route_tests.h"
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

// Those of the configuration, and of the file that the options name.
void test(const config::Loaded& loaded, const ExamineOptions& options, Report& report) {
  std::vector<config::RouteTest> tests = loaded.config.tests;
  if (!options.tests.empty()) {
    auto more = config::load_tests(options.tests);
    report.is_readable = report.is_readable && more.is_readable;
    std::ranges::move(more.tests, std::back_inserter(tests));
    std::ranges::move(more.diagnostics, std::back_inserter(report.findings));
  }
  if (tests.empty() && !options.has_coverage) return;
  const Judge judge(loaded.config);
  config::Problems problems;
  TestRun run = run_tests(tests, loaded.config, judge.explainer(), problems);
  if (options.has_coverage) check_coverage(loaded.config, run, options.coverage_min, problems);
  report.tests = std::move(run.outcomes);
  std::ranges::move(problems.list(), std::back_inserter(report.findings));
}

}  // namespace

Report examine(const std::string& path, config::Loaded& loaded, const ExamineOptions& options) {
  check_tls(loaded);
  check_files(loaded);
  Report report{path, loaded.diagnostics, {}, loaded.tree != nullptr};
  config::Problems problems;
  Allowances allowances(loaded, problems);
  if (loaded.ok()) {
    auto found = lint(loaded);
    std::ranges::move(found, std::back_inserter(report.findings));
    config::Problems online;
    if (options.ask_network) options.ask_network(loaded, online);
    std::ranges::move(online.list(), std::back_inserter(report.findings));
    test(loaded, options, report);
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
