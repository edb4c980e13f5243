#include "route/reach.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <random>

#include "route/explainer.h"
#include "route/router.h"

namespace rproxy::route {
namespace {

using Kind = ValueMatch::Kind;

struct Rules {
  std::vector<Rule> all;
  Rules& add(const char* match, int priority = 0) {
    all.push_back({match, Match::parse_short(match), priority});
    return *this;
  }
  Rules& methods(std::vector<std::string> methods) {
    all.back().match.methods = std::move(methods);
    return *this;
  }
  Rules& header(const char* name, Kind kind, const char* value = "") {
    all.back().match.headers.push_back({name, kind, value, false});
    return *this;
  }
  Rules& query(const char* name, Kind kind, const char* value = "") {
    all.back().match.query.push_back({name, kind, value, false});
    return *this;
  }
  Rules& client(std::vector<const char*> networks) {
    for (const char* network : networks) all.back().match.client_ips.push_back(*IpNetwork::parse(network));
    return *this;
  }
  Rules& regex(const char* pattern) {
    all.back().match.path = {PathMatch::Kind::kRegex, pattern};
    return *this;
  }
  Reach reach_of_last() const {
    std::vector<RuleProblem> problems;
    const Router router(all, problems);
    return reach_of(all.size() - 1, all, router);
  }
};

struct Case {
  const char* name;
  Rules rules;
  std::vector<std::size_t> shadowing;  // of the last; none: it is reachable
};

std::vector<Case> cases() {
  return {
      {"alone", Rules().add("shop.com/*"), {}},
      {"a higher priority takes all", Rules().add("shop.com/*", 1).add("shop.com/images/*"), {0}},
      {"a wildcard of higher priority", Rules().add("*.shop.com/*", 1).add("a.b.shop.com/x"), {0}},
      {"a wildcard takes only what is below it", Rules().add("*.shop.com", 1).add("shop.com"), {}},
      {"a shorter wildcard leaves nothing of a longer one", Rules().add("*.com", 1).add("*.shop.com"), {0}},
      {"a longer wildcard leaves most of a shorter one", Rules().add("*.shop.com", 1).add("*.com"), {}},
      {"a prefix by a shorter one of higher priority", Rules().add("/a*", 1).add("/api/*"), {0}},
      {"more specific wins without priority", Rules().add("/a*").add("/api/*"), {}},
      {"methods together",
       Rules().add("/x", 1).methods({"GET"}).add("/x", 1).methods({"POST"}).add("/x").methods({"GET", "POST"}),
       {0, 1}},
      {"HEAD goes with GET", Rules().add("/x", 1).methods({"GET"}).add("/x").methods({"HEAD"}), {0}},
      {"GET does not go with HEAD", Rules().add("/x", 1).methods({"HEAD"}).add("/x").methods({"GET"}), {}},
      {"a header that is there or is not",
       Rules().add("/x").header("X", Kind::kPresent).add("/x").header("x", Kind::kAbsent).add("/x"),
       {0, 1}},
      {"a header by its value leaves others",
       Rules().add("/x").header("X", Kind::kExact, "1").add("/x").header("X", Kind::kPresent),
       {}},
      {"an exact value below a prefix",
       Rules().add("/x", 1).query("v", Kind::kPrefix, "1").add("/x").query("v", Kind::kExact, "1.2"),
       {0}},
      {"a prefix below a longer one",
       Rules().add("/x", 1).query("v", Kind::kPrefix, "1.2").add("/x").query("v", Kind::kPrefix, "1"),
       {}},
      {"two halves of a network",
       Rules()
           .add("/x", 1)
           .client({"10.0.0.0/9"})
           .add("/x", 1)
           .client({"10.128.0.0/9"})
           .add("/x")
           .client({"10.0.0.0/8"}),
       {0, 1}},
      {"a half of a network", Rules().add("/x", 1).client({"10.0.0.0/9"}).add("/x").client({"10.0.0.0/8"}), {}},
      {"all addresses", Rules().add("/x", 1).client({"::/0"}).add("/x").client({"10.0.0.0/8"}), {0}},
      {"a pattern below a prefix of higher precedence", Rules().add("/a/*").add("/x").regex("/a/[0-9]+"), {0}},
      {"a pattern beside a prefix", Rules().add("/a/*").add("/x").regex("/(a|b)/[0-9]+"), {}},
      {"any host under any host", Rules().add("*", 1).add("shop.com/x"), {0}},
  };
}

TEST(Reach, IsProvenOrShown) {
  for (const Case& each : cases()) {
    const Reach reach = each.rules.reach_of_last();
    EXPECT_EQ(reach.kind, each.shadowing.empty() ? Reach::Kind::kReachable : Reach::Kind::kUnreachable) << each.name;
    auto shadowing = reach.shadowing;
    std::ranges::sort(shadowing);
    EXPECT_EQ(shadowing, each.shadowing) << each.name;
  }
}

// Rules and requests made of few words, so that they meet.
class World {
 public:
  World(unsigned seed, bool has_regexes) : random_(seed), has_regexes_(has_regexes) {}

  std::vector<Rule> rules() {
    std::vector<Rule> all;
    for (unsigned n = 1 + random_() % 8; n > 0; --n) all.push_back(rule());
    return all;
  }

  Sample request() {
    Sample sample;
    sample.method = pick({"GET", "POST", "HEAD", "PUT"});
    sample.host = pick({"a.com", "b.a.com", "c.b.a.com", "x.org"});
    sample.path = pick({"/", "/a", "/a/", "/a/b", "/a/b/", "/a/bc", "/b", "/b/1"});
    if (coin()) sample.headers.emplace_back(pick({"X-A", "x-b"}), pick({"", "1", "12", "2"}));
    if (coin()) sample.query.emplace_back(pick({"q", "r"}), pick({"", "1", "12", "2"}));
    if (coin()) sample.cookies.emplace_back(pick({"c", "d"}), pick({"1", "12", "2"}));
    sample.client = *IpAddress::parse(pick({"10.0.0.1", "10.200.0.1", "192.0.2.1", "2001:db8::1"}));
    return sample;
  }

 private:
  Rule rule() {
    Rule rule;
    rule.priority = static_cast<int>(random_() % 3);
    rule.match = Match::parse_short(pick({"*", "a.com", "b.a.com", "*.a.com", "*.com"}));
    rule.match.path = PathMatch::parse(pick({"*", "/", "/a", "/a/*", "/a*", "/a/b", "/a/b*", "/b/*"}));
    if (has_regexes_ && random_() % 4 == 0)
      rule.match.path = {PathMatch::Kind::kRegex, pick({"/a.*", "/(a|b)/[0-9]*", "/b/?", "/a/(b|bc)?"})};
    if (random_() % 3 == 0) rule.match.methods = {pick({"GET", "POST", "HEAD"})};
    if (random_() % 8 == 0) rule.match.methods.emplace_back("PUT");
    if (random_() % 3 == 0) rule.match.headers.push_back(value({"X-A", "X-B"}));
    if (random_() % 4 == 0) rule.match.query.push_back(value({"q", "r"}));
    if (random_() % 4 == 0) rule.match.cookies.push_back(value({"c", "d"}));
    if (random_() % 4 == 0)
      rule.match.client_ips.push_back(*IpNetwork::parse(pick({"10.0.0.0/8", "10.128.0.0/9", "::/0", "2001:db8::/32"})));
    return rule;
  }
  ValueMatch value(std::initializer_list<const char*> names) {
    const Kind kinds[] = {Kind::kPresent, Kind::kAbsent, Kind::kExact, Kind::kPrefix, Kind::kRegex};
    const Kind kind = kinds[random_() % (has_regexes_ ? 5 : 4)];
    const bool has_text = kind == Kind::kExact || kind == Kind::kPrefix;
    return {pick(names), kind, kind == Kind::kRegex ? "[0-9]+" : has_text ? pick({"1", "12", "2"}) : "", false};
  }
  std::string pick(std::initializer_list<const char*> from) { return from.begin()[random_() % from.size()]; }
  bool coin() { return random_() % 2 == 0; }

  std::minstd_rand random_;
  bool has_regexes_;
};

bool is_usable(const std::vector<RuleProblem>& problems) {
  return std::ranges::all_of(problems, [](const auto& p) { return p.kind == RuleProblem::Kind::kTie; });
}

// One set of rules: the explainer says what the router does, and no claim of the analysis is refuted by a request.
void hold_against_router(const std::vector<Rule>& rules, World& world, bool may_be_unknown) {
  std::vector<RuleProblem> problems;
  const Router router(rules, problems);
  if (!is_usable(problems)) return;
  const Explainer explainer(rules);
  std::vector<Reach::Kind> kinds;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Reach reach = reach_of(i, rules, router);
    kinds.push_back(reach.kind);
    if (!may_be_unknown) {
      ASSERT_NE(reach.kind, Reach::Kind::kUnknown);
    }
    if (reach.kind == Reach::Kind::kUnknown) continue;
    const SampleHead made(reach.sample);
    const auto winner = router.match(made.head(), reach.sample.client);
    if (reach.kind == Reach::Kind::kReachable) {
      ASSERT_EQ(winner, i);
    } else if (!reach.shadowing.empty()) {
      ASSERT_EQ(winner, reach.shadowing.front());
    }
  }
  for (int n = 0; n < 200; ++n) {
    const Sample sample = world.request();
    const SampleHead made(sample);
    const auto winner = router.match(made.head(), sample.client);
    ASSERT_EQ(explainer.explain(made.head(), sample.client, 3).winner, winner);
    if (winner) {
      ASSERT_NE(kinds[*winner], Reach::Kind::kUnreachable) << sample.url("http");
    }
  }
}

TEST(Reach, AgreesWithTheRouterAboutRandomRules) {
  for (unsigned seed = 1; seed <= 1500; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    World world(seed, false);
    hold_against_router(world.rules(), world, false);
    if (HasFatalFailure()) return;
  }
}

TEST(Reach, ClaimsNothingOfPatternsThatTheRouterRefutes) {
  for (unsigned seed = 1; seed <= 1500; ++seed) {
    SCOPED_TRACE(fmt::format("seed {}", seed));
    World world(seed, true);
    hold_against_router(world.rules(), world, true);
    if (HasFatalFailure()) return;
  }
}

TEST(Reach, ItsSampleIsARequestThatCanBeSent) {
  const Reach reach = Rules()
                          .add("*.shop.com/a/*")
                          .methods({"POST"})
                          .header("X-Beta", Kind::kPresent)
                          .query("a b", Kind::kExact, "c&d")
                          .client({"10.0.0.0/8"})
                          .reach_of_last();
  ASSERT_EQ(reach.kind, Reach::Kind::kReachable);
  EXPECT_EQ(reach.sample.url("https"), "POST https://www.shop.com/a/?a%20b=c%26d");
  EXPECT_EQ(reach.sample.headers, (Sample::Pairs{{"X-Beta", "1"}}));
  EXPECT_EQ(reach.sample.client.to_string(), "10.0.0.0");
}

}  // namespace
}  // namespace rproxy::route
