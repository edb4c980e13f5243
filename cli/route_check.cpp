#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "check/examine.h"
#include "check/judge.h"
#include "check/report.h"
#include "cli/command.h"
#include "cli/diagnostics.h"
#include "cli/output.h"

namespace rproxy::cli {
namespace {

std::string check_id(const std::string& text) {
  const bool is_id = text.size() == 6 && text.starts_with("RP") &&
                     std::all_of(text.begin() + 2, text.end(), [](char c) { return c >= '0' && c <= '9'; });
  return is_id ? std::string() : text + " is no diagnostic's id; they are as RP2001, see rproxy-diagnostics(7)";
}

class RouteCheck final : public Command {
 public:
  explicit RouteCheck(CLI::App& app) {
    auto* command = app.add_subcommand("route-check", "Prove a configuration before it serves");
    command->add_option("configs", paths_, "Configuration files (TOML)")->required()->type_name("CONFIG");
    add_severity_options(*command);
    add_explain_options(*command);
    add_test_options(*command);
    command->add_option("--format", format_, "text or json")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"text", "json"}).description(""));
    command->footer(
        "Exit codes: 0 clean, 1 findings that are errors or denied, 2 a file that can't be\nread, or usage.");
  }

  int run() override {
    if (!question_.request.empty()) return explain();
    std::vector<check::Report> reports;
    for (const std::string& path : paths_) {
      auto loaded = config::load(path);
      reports.push_back(check::examine(path, loaded, options_));
    }
    if (format_ == "json") {
      write_output(check::render_json(reports));
    } else {
      for (const check::Report& report : reports) print(report);
    }
    return code_of(reports);
  }

 private:
  void add_severity_options(CLI::App& command) {
    command.add_flag("--strict", options_.is_strict, "Every warning counts as an error");
    command.add_option("--deny", options_.denied, "This finding counts as an error")
        ->type_name("ID")
        ->allow_extra_args(false)
        ->check(check_id, "");
    command.add_option("--allow", options_.allowed, "This warning is not looked for")
        ->type_name("ID")
        ->allow_extra_args(false)
        ->check(check_id, "");
  }

  void add_explain_options(CLI::App& command) {
    auto* explain = command.add_option("--explain", question_.request, "Say what becomes of a request, and why")
                        ->type_name("REQUEST");
    command.add_option("-H,--header", question_.headers, "A header of that request")
        ->type_name("HEADER")
        ->allow_extra_args(false)
        ->needs(explain);
    command.add_option("--from", question_.from, "The address that it comes from")->type_name("IP")->needs(explain);
  }

  void add_test_options(CLI::App& command) {
    command.add_option("--tests", options_.tests, "Run the [[tests]] of this file, too")->type_name("FILE");
    command.add_flag("--coverage", options_.has_coverage, "Find routes that no test goes to");
    command
        .add_option_function<double>(
            "--coverage-min",
            [this](double percent) {
              options_.has_coverage = true;
              options_.coverage_min = percent;
            },
            "Fail where tests go to fewer routes")
        ->type_name("PERCENT")
        ->check(CLI::Range(0.0, 100.0).description(""));
  }

  // Of a configuration that could serve; what keeps it from that is said in its place.
  int explain() const {
    if (paths_.size() != 1) return refuse("--explain takes one CONFIG");
    const auto loaded = config::load(paths_.front());
    if (!loaded.ok()) {
      print_diagnostics(loaded, paths_.front());
      return loaded.tree ? kFindings : kUsage;
    }
    const auto asked = check::AskedRequest::make(question_, loaded.config);
    if (!asked) return refuse("--explain: " + asked.error().context);
    const check::Judge judge(loaded.config);
    const auto explanation = judge.explainer().explain(**asked);
    write_output(format_ == "json" ? check::render_json(explanation) : check::render_text(explanation));
    return kOk;
  }

  static int refuse(const std::string& why) {
    fmt::print(stderr, "rproxy route-check: {}\n", why);
    return kUsage;
  }

  static void print(const check::Report& report) {
    write_output(config::render(report.findings, use_color(STDOUT_FILENO)));
    std::string summary = count_diagnostics(report.findings);
    if (summary.empty()) summary = "ok";
    if (!report.tests.empty()) {
      const auto passed = std::ranges::count_if(report.tests, [](const auto& test) { return test.failure.empty(); });
      summary += fmt::format(", {} of {} tests passed", passed, report.tests.size());
    }
    write_output(fmt::format("{}: {}\n", report.file, summary));
  }

  static int code_of(const std::vector<check::Report>& reports) {
    if (!std::ranges::all_of(reports, &check::Report::is_readable)) return kUsage;
    const bool is_failed = std::ranges::any_of(reports, [](const check::Report& report) {
      return std::ranges::find(report.findings, config::Severity::kError, &config::Diagnostic::severity) !=
             report.findings.end();
    });
    return is_failed ? kFindings : kOk;
  }

  std::vector<std::string> paths_;
  check::ExamineOptions options_;
  check::Question question_;
  std::string format_ = "text";
};

}  // namespace

std::unique_ptr<Command> make_route_check(CLI::App& app) { return std::make_unique<RouteCheck>(app); }

}  // namespace rproxy::cli
