#include "route/router.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <tuple>
#include <vector>

namespace rproxy::route {
namespace {

// The order of precedence, written down a second time and slowly.
bool host_matches(const std::string& rule, const std::string& host) {
  if (rule.empty() || rule == host) return true;
  return rule.starts_with("*.") && host.size() > rule.size() - 1 && host.ends_with(rule.substr(1));
}

bool path_matches(const PathMatch& rule, const std::string& path) {
  if (rule.kind == PathMatch::Kind::kExact) return path == rule.value;
  if (rule.kind == PathMatch::Kind::kPrefix) return path.starts_with(rule.value);
  return true;
}

auto rank(const Rule& rule, std::size_t index) {
  const auto& match = rule.match;
  const int host = match.host.empty() ? 0 : match.host.starts_with("*.") ? 1 : 2;
  const int path = static_cast<int>(match.path.kind == PathMatch::Kind::kExact    ? 2
                                    : match.path.kind == PathMatch::Kind::kPrefix ? 1
                                                                                  : 0);
  return std::tuple(rule.priority, host, match.host.size(), path, match.path.value.size(), match.methods.size(),
                    -static_cast<int>(index));
}

std::optional<std::size_t> slow_match(const std::vector<Rule>& rules, const http::RequestHead& head) {
  std::optional<std::size_t> best;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const auto& match = rules[i].match;
    if (!host_matches(match.host, std::string(head.host)) || !path_matches(match.path, std::string(head.path)))
      continue;
    if (!match.methods.empty() && match.methods[0] != head.method) continue;
    if (!best || rank(rules[i], i) > rank(rules[*best], *best)) best = i;
  }
  return best;
}

TEST(Router, AgreesWithReadingAllRules) {
  std::minstd_rand random(11);
  const auto pick = [&](const auto& from) { return from[random() % std::size(from)]; };
  const std::string hosts[] = {"", "a.com", "b.a.com", "*.a.com", "*.b.a.com", "*.com"};
  const std::string asked[] = {"a.com", "b.a.com", "c.b.a.com", "x.com", "org", "com"};
  const std::string segments[] = {"/", "/a", "/a/", "/a/b", "/a/b/", "/a/bc", "/b"};
  for (int round = 0; round < 500; ++round) {
    std::vector<Rule> rules;
    for (unsigned n = 1 + random() % 12; n > 0; --n) {
      Rule rule;
      rule.match.host = pick(hosts);
      const unsigned kind = random() % 3;
      if (kind > 0) {
        rule.match.path = {kind == 1 ? PathMatch::Kind::kExact : PathMatch::Kind::kPrefix, pick(segments)};
      }
      if (random() % 4 == 0) rule.match.methods = {"POST"};
      if (random() % 6 == 0) rule.priority = 1;
      const bool known =
          std::any_of(rules.begin(), rules.end(), [&](const Rule& other) { return other.match == rule.match; });
      if (!known) rules.push_back(rule);
    }
    std::vector<RuleProblem> problems;
    const Router router(rules, problems);
    for (const auto& host : asked) {
      for (const auto& path : segments) {
        for (const auto* method : {"GET", "POST"}) {
          http::RequestHead head;
          head.method = method;
          head.method_id = http::method_id(method);
          head.host = host;
          head.path = path;
          ASSERT_EQ(router.match(head, {}), slow_match(rules, head))
              << method << " " << host << path << " round " << round;
        }
      }
    }
  }
}

TEST(Router, NamesDuplicates) {
  Rule rule;
  rule.match = Match::parse_short("shop.com/a/*");
  std::vector<RuleProblem> problems;
  const Router router(std::vector<Rule>{rule, rule}, problems);
  ASSERT_EQ(problems.size(), 1U);
  EXPECT_EQ(problems[0].kind, RuleProblem::Kind::kDuplicate);
  EXPECT_EQ(problems[0].rule + problems[0].other, 1U);
}

}  // namespace
}  // namespace rproxy::route
