#include <fmt/format.h>

#include <algorithm>

#include "check/report.h"
#include "check/xml.h"

namespace rproxy::check {
namespace {

class Suite {
 public:
  explicit Suite(const Report& report) : name_(xml(report.file)) {
    for (const auto& finding : report.findings) {
      // Told by the test itself.
      if (finding.id != "RP2801" || report.tests.empty()) add(finding);
    }
    for (const auto& test : report.tests) add(test);
    if (count_ == 0) add_case("configuration", "");
  }

  std::size_t count() const { return count_; }
  std::size_t failures() const { return failures_; }
  std::string render() const {
    return fmt::format(
        "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"0\">\n{}  </testsuite>\n", name_,
        count_, failures_, cases_);
  }

 private:
  void add(const config::Diagnostic& finding) {
    const std::string text = xml(place_of(finding.at) + ": " + finding.message);
    const std::string help = xml(finding.remedy);
    const bool is_error = finding.severity == config::Severity::kError;
    add_case(xml(fmt::format("{} {}", finding.id, place_of(finding.at))),
             is_error ? failure(finding.id, text, help)
                      : fmt::format("      <system-out>{}\n{}</system-out>\n", text, help));
    if (is_error) ++failures_;
  }
  void add(const TestOutcome& test) {
    const bool is_failed = !test.failure.empty();
    add_case(xml(test.name), is_failed ? failure("RP2801", xml(place_of(test.at) + ": " + test.failure), "") : "");
    if (is_failed) ++failures_;
  }
  static std::string failure(std::string_view id, std::string_view text, std::string_view help) {
    return fmt::format("      <failure type=\"{}\" message=\"{}\">{}</failure>\n", id, text, help);
  }
  void add_case(std::string_view name, std::string_view content) {
    ++count_;
    cases_ += fmt::format("    <testcase classname=\"rproxy.route-check\" name=\"{}\"", name);
    cases_ += content.empty() ? "/>\n" : fmt::format(">\n{}    </testcase>\n", content);
  }

  std::string name_;
  std::string cases_;
  std::size_t count_ = 0;
  std::size_t failures_ = 0;
};

}  // namespace

std::string render_junit(std::span<const Report> reports) {
  std::string suites;
  std::size_t count = 0;
  std::size_t failures = 0;
  for (const Report& report : reports) {
    const Suite suite(report);
    suites += suite.render();
    count += suite.count();
    failures += suite.failures();
  }
  return fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"rproxy route-check\" tests=\"{}\" "
      "failures=\"{}\" "
      "errors=\"0\">\n{}</testsuites>\n",
      count, failures, suites);
}

}  // namespace rproxy::check
