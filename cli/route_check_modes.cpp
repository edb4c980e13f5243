#include "cli/route_check_modes.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "check/difference.h"
#include "check/graph.h"
#include "check/judge.h"
#include "check/listing.h"
#include "check/route_tests.h"
#include "check/test_file.h"
#include "cli/command.h"
#include "cli/diagnostics.h"
#include "cli/output.h"
#include "x509/certified_key.h"

namespace rproxy::cli {
namespace {

constexpr std::size_t kTestFileMax = 16 << 20;

}  // namespace

int refuse_route_check(const std::string& why) {
  fmt::print(stderr, "rproxy route-check: {}\n", why);
  return kUsage;
}

int explain_request(const config::Config& config, const check::Question& question, const RouteCheckForm& form) {
  const auto asked = check::AskedRequest::make(question, config);
  if (!asked) return refuse_route_check("--explain: " + asked.error().context);
  const check::Judge judge(config);
  const auto explanation = judge.explainer().explain(**asked);
  write_output(form.is_json() ? check::render_json(explanation) : check::render_text(explanation));
  return kOk;
}

int list_routes(const config::Config& config, const RouteCheckForm& form) {
  write_output(form.is_json() ? check::list_routes_json(config) : check::list_routes(config, width_of_output()));
  return kOk;
}

int draw_graph(const config::Config& config, const std::string& language) {
  write_output(check::draw(config, language == "dot" ? check::GraphLanguage::kDot : check::GraphLanguage::kMermaid));
  return kOk;
}

int show_differences(const config::Config& before, const config::Config& after, const RouteCheckForm& form) {
  std::size_t asked = 0;
  const auto differences = check::compare(before, after, asked);
  write_output(form.is_json() ? check::render_json(differences) : check::render_text(differences));
  if (!form.is_json()) write_output(fmt::format("{} of {} requests differ\n", differences.size(), asked));
  return differences.empty() ? kOk : kFindings;
}

int update_test_file(const config::Config& config, const std::string& path) {
  const check::Judge judge(config);
  std::vector<config::RouteTest> tests;
  std::string old;
  if (std::filesystem::exists(path)) {
    auto loaded = config::load_tests(path);
    if (!loaded.diagnostics.empty()) {
      fmt::print(stderr, "{}", config::render(loaded.diagnostics, use_color(STDERR_FILENO)));
      return loaded.is_readable ? kFindings : kUsage;
    }
    tests = std::move(loaded.tests);
    old = x509::read_file(path, kTestFileMax).value_or("");
  } else {
    tests = check::tests_of_routes(config, judge);
  }
  tests = check::update_tests(std::move(tests), config, judge.explainer());
  const auto text = check::render_tests(tests, old);
  if (!text) return refuse_route_check(fmt::format("{}: {}", path, text.error().context));
  // A link stays one.
  write_file_atomically(std::filesystem::exists(path) ? std::filesystem::canonical(path).string() : path, *text);
  write_output(fmt::format("{}: {} tests written\n", path, tests.size()));
  return kOk;
}

}  // namespace rproxy::cli
