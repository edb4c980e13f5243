#include <fmt/format.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <string>
#include <vector>

#include "check/catalogue.h"
#include "check/examine.h"
#include "check/json_schema.h"
#include "check/report.h"
#include "cli/command.h"
#include "cli/diagnostics.h"
#include "cli/output.h"
#include "cli/route_check_modes.h"
#include "cli/route_check_online.h"

namespace rproxy::cli {
namespace {

const std::vector<std::string> kFormats{"text", "json", "sarif", "junit", "github", "checkstyle"};

std::string check_id(const std::string& text) {
  const auto known = check::catalogue();
  const bool is_id = std::ranges::find(known, text, &check::CatalogueEntry::id) != known.end();
  return is_id ? std::string() : text + " is no diagnostic's id; they are as RP2001, see rproxy-diagnostics(7)";
}

class RouteCheck final : public Command {
 public:
  explicit RouteCheck(CLI::App& app) {
    auto* command = app.add_subcommand("route-check", "Prove a configuration before it serves");
    command->add_option("configs", paths_, "Configuration files (TOML)")->required()->type_name("CONFIG");
    add_finding_options(*command);
    add_test_options(*command);
    add_explain_options(*command);
    add_view_options(*command);
    command->footer(
        "Exit codes: 0 clean, 1 findings that are errors (or a difference of --diff),\n2 a file that can't be read, or "
        "usage.");
  }

  int run() override {
    const int modes = (is_update_ ? 1 : 0) + (question_.request.empty() ? 0 : 1) + (is_list_ ? 1 : 0) +
                      (graph_.empty() ? 0 : 1) + (is_diff_ ? 1 : 0);
    if (modes > 1) return refuse_route_check("--explain, --update, --list, --graph and --diff go one at a time");
    if (is_update_) return with_config([this](const auto& config) { return update_test_file(config, options_.tests); });
    if (!question_.request.empty())
      return with_config([this](const auto& config) { return explain_request(config, question_, form_); });
    if (is_list_) return with_config([this](const auto& config) { return list_routes(config, form_); });
    if (!graph_.empty()) return with_config([this](const auto& config) { return draw_graph(config, graph_); });
    return is_diff_ ? diff() : find();
  }

 private:
  void add_finding_options(CLI::App& command) {
    command.add_option("--format", form_.format, fmt::format("{}", fmt::join(kFormats, ", ")))
        ->type_name("FORMAT")
        ->check(CLI::IsMember(kFormats).description(""));
    command.add_flag("--strict", options_.is_strict, "Every warning counts as an error");
    command.add_option("--deny", options_.denied, "This finding counts as an error")
        ->type_name("ID")
        ->allow_extra_args(false)
        ->check(check_id, "");
    command.add_option("--allow", options_.allowed, "This warning is not looked for")
        ->type_name("ID")
        ->allow_extra_args(false)
        ->check(check_id, "");
    command.add_flag_callback(
        "--online", [this] { options_.ask_network = add_online_findings; }, "Ask DNS and the servers, too");
  }

  void add_test_options(CLI::App& command) {
    auto* tests =
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
    command.add_flag("--update", is_update_, "Write what is expected in that file anew")->needs(tests);
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

  void add_view_options(CLI::App& command) {
    command.add_flag("--diff", is_diff_, "Compare what two CONFIGs do with requests");
    command.add_flag("--list", is_list_, "Print the routes in order of precedence");
    command.add_option("--graph", graph_, "Draw the configuration: dot or mermaid")
        ->type_name("LANGUAGE")
        ->check(CLI::IsMember({"dot", "mermaid"}).description(""));
    command
        .add_flag_callback(
            "--schema",
            [] {
              write_output(check::json_schema());
              throw CLI::Success();
            },
            "Print the JSON Schema of configurations")
        ->trigger_on_parse();
  }

  int find() const {
    std::vector<check::Report> reports;
    for (const std::string& path : paths_) {
      auto loaded = config::load(path);
      reports.push_back(check::examine(path, loaded, options_));
    }
    write_output(render(reports));
    return code_of(reports);
  }

  std::string render(const std::vector<check::Report>& reports) const {
    if (form_.format == "json") return check::render_json(reports);
    if (form_.format == "sarif") return check::render_sarif(reports, RPROXY_VERSION);
    if (form_.format == "junit") return check::render_junit(reports);
    if (form_.format == "github") return check::render_github(reports);
    if (form_.format == "checkstyle") return check::render_checkstyle(reports);
    std::string out;
    for (const check::Report& report : reports) out += text_of(report);
    return out;
  }

  // Of configurations that could serve; what keeps one from that is said in its place.
  template <typename Use>
  int with_config(Use use) const {
    if (form_.format != "text" && form_.format != "json")
      return refuse_route_check("--format " + form_.format + " is for findings alone");
    if (paths_.size() != 1)
      return refuse_route_check("one CONFIG is looked at so, not " + std::to_string(paths_.size()));
    const auto loaded = config::load(paths_.front());
    return loaded.ok() ? use(loaded.config) : tell(loaded, paths_.front());
  }

  int diff() const {
    if (paths_.size() != 2) return refuse_route_check("--diff compares two CONFIGs, the old one first");
    const auto before = config::load(paths_[0]);
    if (!before.ok()) return tell(before, paths_[0]);
    const auto after = config::load(paths_[1]);
    if (!after.ok()) return tell(after, paths_[1]);
    return show_differences(before.config, after.config, form_);
  }

  static int tell(const config::Loaded& loaded, const std::string& path) {
    print_diagnostics(loaded, path);
    return loaded.tree ? kFindings : kUsage;
  }

  static std::string text_of(const check::Report& report) {
    std::string summary = count_diagnostics(report.findings);
    if (summary.empty()) summary = "ok";
    if (!report.tests.empty()) {
      const auto passed = std::ranges::count_if(report.tests, [](const auto& test) { return test.failure.empty(); });
      summary += fmt::format(", {} of {} tests passed", passed, report.tests.size());
    }
    return wrap_prose(config::render(report.findings, use_color(STDOUT_FILENO)), width_of_output()) +
           fmt::format("{}: {}\n", report.file, summary);
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
  RouteCheckForm form_;
  std::string graph_;
  bool is_list_ = false;
  bool is_diff_ = false;
  bool is_update_ = false;
};

}  // namespace

std::unique_ptr<Command> make_route_check(CLI::App& app) { return std::make_unique<RouteCheck>(app); }

}  // namespace rproxy::cli
