#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "check/examine.h"
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
    command->add_option("--format", format_, "text or json")
        ->type_name("FORMAT")
        ->check(CLI::IsMember({"text", "json"}).description(""));
    command->footer(
        "Exit codes: 0 clean, 1 findings that are errors or denied, 2 a file that can't be\nread, or usage.");
  }

  int run() override {
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

  static void print(const check::Report& report) {
    write_output(config::render(report.findings, use_color(STDOUT_FILENO)));
    const std::string count = count_diagnostics(report.findings);
    write_output(fmt::format("{}: {}\n", report.file, count.empty() ? "ok" : count));
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
  std::string format_ = "text";
};

}  // namespace

std::unique_ptr<Command> make_route_check(CLI::App& app) { return std::make_unique<RouteCheck>(app); }

}  // namespace rproxy::cli
