// Pictures of configurations that are too large for one; the languages are held against dot in tests/cli.
#include "check/graph.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/load.h"

namespace rproxy::check {
namespace {

using testing::HasSubstr;
using testing::Not;

// A route for each, to a host and an upstream.
config::Config config_of(const std::vector<std::pair<std::string, std::string>>& routes) {
  std::string text = "[listen]\nhttp = \":80\"\n";
  std::set<std::string> upstreams;
  for (const auto& [match, upstream] : routes) {
    text += fmt::format("[[routes]]\nmatch = \"{}\"\nupstream = \"{}\"\n", match, upstream);
    if (upstreams.insert(upstream).second)
      text += fmt::format("[upstreams.{}]\nservers = [\"10.0.0.1:80\"]\n", upstream);
  }
  auto loaded = config::load_text("test.toml", text, [](std::string_view) { return std::nullopt; });
  EXPECT_TRUE(loaded.ok()) << config::render(loaded.diagnostics, false);
  return loaded.config;
}

std::size_t count_of(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

// All that the labels "12 routes", "1 route" and "and 3 more routes" say.
std::size_t routes_told(const std::string& text) {
  const std::regex kLabel("\"(and )?([0-9]+) (more )?routes?\"");
  std::size_t sum = 0;
  for (std::sregex_iterator at(text.begin(), text.end(), kLabel), end; at != end; ++at) sum += std::stoul((*at)[2]);
  return sum;
}

TEST(Graph, DrawsEachOfFewRoutes) {
  const auto config = config_of({{"shop.com/a/*", "a"}, {"shop.com/b/*", "b"}, {"*", "a"}});
  const std::string dot = draw(config, GraphLanguage::kDot);
  for (const char* label :
       {"shop.com/a/*", "shop.com/b/*", "\"any host\"", "\"shop.com\"", "\"http :80\"", "\"10.0.0.1:80\""})
    EXPECT_THAT(dot, HasSubstr(label));
  // Two hosts of a listener, three routes to two upstreams, one server of both.
  EXPECT_EQ(count_of(dot, " -> "), 2U + 3U + 3U + 2U);
  EXPECT_EQ(count_of(draw(config, GraphLanguage::kMermaid), " --> "), 10U);
}

TEST(Graph, IsNoLargerThanIsLookedAtHoweverManyRoutesThereAre) {
  constexpr std::size_t kRoutes = 700;
  struct Case {
    const char* name;
    std::size_t hosts, upstreams;
  };
  for (const Case& each :
       {Case{"one host", 1, 2}, Case{"many hosts", kRoutes, 2}, Case{"a host and an upstream each", kRoutes, kRoutes},
        Case{"one host, many upstreams", 1, kRoutes}, Case{"some hosts", 90, 90}}) {
    std::vector<std::pair<std::string, std::string>> routes;
    for (std::size_t i = 0; i < kRoutes; ++i)
      routes.emplace_back(fmt::format("h{}.com/p{}/*", i % each.hosts, i), fmt::format("u{}", i % each.upstreams));
    const auto config = config_of(routes);
    for (const auto language : {GraphLanguage::kDot, GraphLanguage::kMermaid}) {
      const std::string text = draw(config, language);
      EXPECT_LE(count_of(text, language == GraphLanguage::kDot ? " -> " : " --> "), 500U) << each.name;
      EXPECT_EQ(routes_told(text), kRoutes) << each.name;
    }
  }
}

TEST(Graph, HostsThatLeadToTheSamePlacesAreOne) {
  std::vector<std::pair<std::string, std::string>> routes;
  for (int i = 0; i < 300; ++i) routes.emplace_back(fmt::format("h{}.com/*", i), i % 3 == 0 ? "a" : "b");
  const std::string text = draw(config_of(routes), GraphLanguage::kMermaid);
  EXPECT_THAT(text, HasSubstr("\"100 hosts\""));
  EXPECT_THAT(text, HasSubstr("\"200 hosts\""));
  EXPECT_THAT(text, Not(HasSubstr("h1.com")));
}

}  // namespace
}  // namespace rproxy::check
