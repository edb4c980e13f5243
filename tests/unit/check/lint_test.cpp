// Lints over random routes: the proof that the route analysis gives is that of the very configuration that would be served.
#include "check/lint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "check/judge.h"
#include "check/test_file.h"

namespace rproxy::check {
namespace {

std::string random_routes(std::minstd_rand& random) {
  const auto pick = [&](std::initializer_list<const char*> from) { return from.begin()[random() % from.size()]; };
  std::string text = "[listen]\nhttp = \":80\"\n[upstreams.a]\nservers = [\"10.0.0.1:80\"]\n";
  std::set<std::string> seen;
  for (unsigned n = 2 + random() % 6; n > 0; --n) {
    std::string match = fmt::format("host = \"{}\"", pick({"a.com", "*.a.com", "b.a.com", "*"}));
    match += fmt::format(", path = \"{}\"", pick({"/*", "/a/*", "/a*", "/a", "/a/b/*"}));
    if (random() % 3 == 0) match += fmt::format(", method = [\"{}\"]", pick({"GET", "POST"}));
    if (random() % 4 == 0) match += fmt::format(", header = {{ X = {} }}", pick({"true", "false", "\"1\""}));
    const auto priority = random() % 2;
    if (!seen.insert(match + std::to_string(priority)).second) continue;
    text += fmt::format("[[routes]]\nmatch = {{ {} }}\npriority = {}\nupstream = \"a\"\n", match, priority);
  }
  return text;
}

TEST(Lint, CallsUnreachableExactlyTheRoutesThatNoMadeUpTestReaches) {
  std::size_t unreachable_in_all = 0;
  for (unsigned seed = 1; seed <= 300; ++seed) {
    std::minstd_rand random(seed);
    const auto loaded =
        config::load_text("test.toml", random_routes(random), [](std::string_view) { return std::nullopt; });
    if (!loaded.ok()) continue;
    std::set<std::size_t> unreachable;
    for (const auto& finding : lint(loaded)) {
      if (finding.id != "RP2001") continue;
      for (std::size_t i = 0; i < loaded.config.routes.size(); ++i) {
        if (loaded.config.routes[i].at.line + 1 == finding.at.line) unreachable.insert(i);
      }
    }
    const Judge judge(loaded.config);
    std::set<std::size_t> reached;
    for (const auto& test : tests_of_routes(loaded.config, judge)) {
      auto asked = AskedRequest::make({test.request, test.headers, test.from}, loaded.config);
      ASSERT_TRUE(asked);
      const auto explanation = judge.explainer().explain(**asked);
      ASSERT_TRUE(explanation.route) << test.request;
      reached.insert(*explanation.route);
    }
    for (std::size_t i = 0; i < loaded.config.routes.size(); ++i)
      EXPECT_NE(reached.contains(i), unreachable.contains(i)) << "seed " << seed << ", route " << i;
    unreachable_in_all += unreachable.size();
  }
  EXPECT_GT(unreachable_in_all, 100U) << "the rules are such that there is nothing to find";
}

}  // namespace
}  // namespace rproxy::check
