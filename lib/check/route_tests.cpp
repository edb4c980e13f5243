#include "check/route_tests.h"

#include <fmt/format.h>

#include <algorithm>

#include "http/fields.h"

namespace rproxy::check {
namespace {

using config::Expectation;
using config::RouteTest;

std::string quoted(const std::string& text) { return text.empty() ? "none" : fmt::format("\"{}\"", text); }

std::string status_text(std::uint16_t status) { return status == 0 ? "a server's" : std::to_string(status); }

const std::string* find(const Explanation& explanation, const std::string& name) {
  for (const auto& field : explanation.sent) {
    if (http::equals_ignoring_case(field.name, name)) return &field.value;
  }
  return nullptr;
}

// One line for each thing that is not as it is expected.
class Comparison {
 public:
  explicit Comparison(const Explanation& actual) : actual_(actual) {}

  std::string compare(const Expectation& wanted) {
    text("route", wanted.route, actual_.route ? actual_.route_name : std::string());
    text("upstream", wanted.upstream, actual_.status == 0 ? actual_.upstream : std::string());
    if (wanted.status && *wanted.status != actual_.status)
      add("status", status_text(*wanted.status), status_text(actual_.status));
    text("location", wanted.location, actual_.location);
    text("path", wanted.path, actual_.rewritten);
    text("host", wanted.host, actual_.host);
    if (wanted.headers) headers(*wanted.headers);
    if (wanted.policies && *wanted.policies != actual_.policies())
      add("policies", fmt::format("[{}]", fmt::join(*wanted.policies, ", ")),
          fmt::format("[{}]", fmt::join(actual_.policies(), ", ")));
    return std::move(out_);
  }

 private:
  void text(std::string_view name, const std::optional<std::string>& wanted, const std::string& actual) {
    if (wanted && *wanted != actual) add(name, quoted(*wanted), quoted(actual));
  }
  void headers(const Expectation::Headers& wanted) {
    for (const auto& [name, value] : wanted) {
      const std::string* actual = find(actual_, name);
      const bool is_as_wanted = value ? actual != nullptr && *actual == *value : actual == nullptr;
      if (!is_as_wanted)
        add("header " + name, value ? quoted(*value) : "none", actual != nullptr ? quoted(*actual) : "none");
    }
  }
  void add(std::string_view name, std::string_view wanted, std::string_view actual) {
    out_ += fmt::format("{}{}: expected {}, got {}", out_.empty() ? "" : "; ", name, wanted, actual);
  }

  const Explanation& actual_;
  std::string out_;
};

Result<Explanation> ask(const RouteTest& test, const config::Config& config, const Explainer& explainer) {
  auto asked = AskedRequest::make({test.request, test.headers, test.from}, config);
  if (!asked) return fail(std::move(asked.error()));
  return explainer.explain(**asked);
}

std::string name_of(const RouteTest& test) { return test.name.empty() ? test.request : test.name; }

}  // namespace

TestRun run_tests(std::span<const RouteTest> tests, const config::Config& config, const Explainer& explainer,
                  config::Problems& problems) {
  TestRun run;
  for (const RouteTest& test : tests) {
    TestOutcome outcome{name_of(test), location_of(test.at), {}};
    const auto actual = ask(test, config, explainer);
    if (!actual) {
      outcome.failure = actual.error().context;
    } else {
      outcome.failure = Comparison(*actual).compare(test.expect);
      if (actual->route) run.routes.insert(*actual->route);
    }
    if (!outcome.failure.empty())
      problems.error("RP2801", test.at, fmt::format("{}: {}", outcome.name, outcome.failure),
                     actual ? "mend the routes, or what is expected of them" : "write it as --explain takes it");
    run.outcomes.push_back(std::move(outcome));
  }
  return run;
}

void check_coverage(const config::Config& config, const TestRun& run, double percent_min, config::Problems& problems) {
  if (config.routes.empty()) return;
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    if (run.routes.contains(i)) continue;
    problems.warning("RP2802", config.routes[i].at, "no test goes to this route",
                     "add [[tests]] with a request for it, or let --update make one");
  }
  const double percent = 100.0 * static_cast<double>(run.routes.size()) / static_cast<double>(config.routes.size());
  if (percent >= percent_min) return;
  problems.error("RP2803", config::Place{config.routes[0].at.file, 0, 0},
                 fmt::format("tests go to {} of {} routes: {:.1f}%, where {:g}% are wanted", run.routes.size(),
                             config.routes.size(), percent, percent_min),
                 "add tests for the routes without one");
}

std::vector<RouteTest> update_tests(std::vector<RouteTest> tests, const config::Config& config,
                                    const Explainer& explainer) {
  for (RouteTest& test : tests) {
    const auto actual = ask(test, config, explainer);
    if (!actual) continue;
    Expectation& expect = test.expect;
    const bool is_new = expect.empty();
    const bool is_answered = actual->status != 0;
    if (is_new || expect.route) expect.route = actual->route ? actual->route_name : "";
    if ((is_new && !is_answered) || expect.upstream) expect.upstream = is_answered ? "" : actual->upstream;
    if ((is_new && is_answered) || expect.status) expect.status = actual->status;
    if ((is_new && !actual->location.empty()) || expect.location) expect.location = actual->location;
    if ((is_new && !is_answered) || expect.path) expect.path = actual->rewritten;
    if (expect.host) expect.host = actual->host;
    if (expect.policies) expect.policies = actual->policies();
    if (!expect.headers) continue;
    for (auto& [name, value] : *expect.headers) {
      const std::string* sent = find(*actual, name);
      value = sent != nullptr ? std::optional(*sent) : std::nullopt;
    }
  }
  return tests;
}

}  // namespace rproxy::check
