#include "check/test_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "check/comments.h"
#include "check/lint_parts.h"
#include "config/values.h"
#include "route/reach.h"

namespace rproxy::check {
namespace {

using config::Expectation;
using config::RouteTest;

std::string_view trim(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t\r");
  return begin == text.npos ? std::string_view() : text.substr(begin);
}

// "[[tests]]", and with blanks.
bool is_test(std::string_view line) {
  std::string packed;
  for (const char c : line) {
    if (c != ' ' && c != '\t') packed += c;
  }
  return packed.starts_with("[[tests]]");
}

// The comments before each test, and those behind the last one.
Result<std::vector<std::string>> read_comments(std::string_view text) {
  std::vector<std::string> comments(1);
  std::string_view open;
  bool is_within = false;
  for (std::size_t number = 1; !text.empty(); ++number) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto content = trim(line);
    if (open.empty() && is_test(content)) {
      is_within = true;
      comments.emplace_back();
    }
    if (open.empty() && content.empty()) {
      is_within = false;
      if (!comments.back().empty()) comments.back() += '\n';
    }
    const auto at = find_comment(line, open);
    if (at == line.npos) continue;
    if (is_within || !trim(line.substr(0, at)).empty()) {
      return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever,
                  fmt::format("line {}: this comment would be lost; put it before the [[tests]], with an empty line "
                              "between it and the test before",
                              number));
    }
    comments.back() += fmt::format("{}\n", line.ends_with('\r') ? line.substr(0, line.size() - 1) : line);
  }
  return comments;
}

std::string quoted_list(const std::vector<std::string>& all) {
  std::string out;
  for (const std::string& each : all) out += (out.empty() ? "" : ", ") + config::quote_toml(each);
  return "[" + out + "]";
}

std::string expectation_text(const Expectation& expect) {
  std::string out;
  const auto add = [&out](std::string_view name, const std::string& value) {
    out += fmt::format("{}{} = {}", out.empty() ? "" : ", ", name, value);
  };
  const auto add_text = [&add](std::string_view name, const std::optional<std::string>& value) {
    if (value) add(name, config::quote_toml(*value));
  };
  add_text("route", expect.route);
  add_text("upstream", expect.upstream);
  if (expect.status) add("status", std::to_string(*expect.status));
  add_text("location", expect.location);
  add_text("path", expect.path);
  add_text("host", expect.host);
  if (expect.headers) {
    std::string headers;
    for (const auto& [name, value] : *expect.headers)
      headers += fmt::format("{}{} = {}", headers.empty() ? "" : ", ", config::quote_key(name),
                             value ? config::quote_toml(*value) : "false");
    add("headers", "{ " + headers + " }");
  }
  if (expect.policies) add("policies", quoted_list(*expect.policies));
  return "{ " + out + " }";
}

std::string test_text(const RouteTest& test) {
  std::string out = "[[tests]]\n";
  if (!test.name.empty()) out += fmt::format("name = {}\n", config::quote_toml(test.name));
  out += fmt::format("request = {}\n", config::quote_toml(test.request));
  if (!test.headers.empty()) out += fmt::format("headers = {}\n", quoted_list(test.headers));
  if (!test.from.empty()) out += fmt::format("from = {}\n", config::quote_toml(test.from));
  if (!test.expect.empty()) out += fmt::format("expect = {}\n", expectation_text(test.expect));
  return out;
}

}  // namespace

std::vector<RouteTest> tests_of_routes(const config::Config& config, const Judge& judge) {
  static const IpAddress kSomebody = *IpAddress::parse(kSomeClient);
  std::vector<RouteTest> tests;
  for (std::size_t i = 0; i < config.routes.size(); ++i) {
    const route::Reach reach = route::reach_of(i, judge.rules(), judge.router());
    // What is no text of the configuration does not become text of another file.
    if (reach.kind != route::Reach::Kind::kReachable || reach.sample.has_secret) continue;
    RouteTest test;
    test.request = reach.sample.url(scheme_of(config));
    for (const auto& [name, value] : reach.sample.headers) test.headers.push_back(fmt::format("{}: {}", name, value));
    if (!reach.sample.cookies.empty()) test.headers.push_back("Cookie: " + reach.sample.cookie_header());
    if (reach.sample.client != kSomebody) test.from = reach.sample.client.to_string();
    tests.push_back(std::move(test));
  }
  return tests;
}

Result<std::string> render_tests(const std::vector<RouteTest>& tests, const std::string& old) {
  auto comments = read_comments(old);
  if (!comments) return fail(std::move(comments.error()));
  const bool has_any = std::ranges::any_of(*comments, [](const std::string& each) { return !each.empty(); });
  if (has_any && comments->size() != tests.size() + 1) {
    return fail(ErrorCode::kConfig, Side::kLocal, Retry::kNever,
                "its comments can't be kept; write each test as [[tests]], a table of its own");
  }
  comments->resize(tests.size() + 1);
  std::string out;
  for (std::size_t i = 0; i < tests.size(); ++i) {
    out += fmt::format("{}{}{}", out.empty() ? "" : "\n", (*comments)[i], test_text(tests[i]));
  }
  if (!comments->back().empty()) out += "\n" + comments->back();
  return out;
}

}  // namespace rproxy::check
