// Any configuration that could serve can be looked at in every way, and what is said of it is text.
#include "check/difference.h"
#include "check/graph.h"
#include "check/judge.h"
#include "check/lint.h"
#include "check/listing.h"
#include "check/report.h"
#include "check/route_tests.h"
#include "check/test_file.h"
#include "config/load.h"
#include "fuzz.h"

namespace {

using namespace rproxy;

void is_text(std::string_view text) {
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    FUZZ_CHECK((byte >= 0x20 && byte != 0x7f) || byte == '\n');
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto nothing = [](std::string_view) { return std::optional<std::string>(); };
  const auto loaded = config::load_text("fuzz.toml", std::string(text_of(data, size)), nothing);
  check::Report report{"fuzz.toml", loaded.diagnostics, {}, true};
  if (loaded.ok()) {
    const auto found = check::lint(loaded);
    report.findings.insert(report.findings.end(), found.begin(), found.end());
    const check::Judge judge(loaded.config);
    config::Problems problems;
    auto tests = check::tests_of_routes(loaded.config, judge);
    // Each request made up for a route goes there.
    const auto run = check::run_tests(tests, loaded.config, judge.explainer(), problems);
    FUZZ_CHECK(run.routes.size() <= tests.size());
    (void)check::render_tests(check::update_tests(std::move(tests), loaded.config, judge.explainer()), {});
    is_text(check::list_routes(loaded.config, 80));
    is_text(check::draw(loaded.config, check::GraphLanguage::kDot));
    is_text(check::draw(loaded.config, check::GraphLanguage::kMermaid));
    std::size_t asked = 0;
    FUZZ_CHECK(check::compare(loaded.config, loaded.config, asked).empty());
  }
  is_text(check::render_junit(std::span(&report, 1)));
  is_text(check::render_github(std::span(&report, 1)));
  is_text(check::render_checkstyle(std::span(&report, 1)));
  (void)check::render_sarif(std::span(&report, 1), "0");
  return 0;
}
