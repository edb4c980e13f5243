#include <fmt/format.h>

#include <algorithm>

#include "check/explain.h"
#include "check/lint_parts.h"
#include "config/build.h"
#include "config/values.h"
#include "route/reach.h"
#include "route/regex_shape.h"
#include "route/rewrite.h"

namespace rproxy::check {
namespace {

using config::Node;
using route::PathMatch;
using route::Reach;

// Of all routes together, so that no configuration takes minutes; what is left then is not known.
constexpr std::size_t kStepsMax = 100'000;

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// A longer list says no more.
constexpr std::size_t kShadowingMax = 3;

class RouteLint {
 public:
  RouteLint(const config::Loaded& loaded, config::Problems& problems)
      : config_(loaded.config),
        nodes_(loaded.tree->find("routes")->items),
        rules_(rules_of(config_)),
        router_(rules_, known_),
        problems_(problems) {}

  void run() {
    for (std::size_t i = 0; i < rules_.size(); ++i) {
      const PathMatch& path = rules_[i].match.path;
      if (path.kind == PathMatch::Kind::kPrefix) look_at_prefix(i);
      if (path.kind == PathMatch::Kind::kRegex && !look_at_regex(i)) continue;
      const Reach reach = route::reach_of(i, rules_, router_, std::max<std::size_t>(steps_left_, 1));
      steps_left_ -= std::min(steps_left_, reach.steps);
      if (reach.kind == Reach::Kind::kUnreachable) report(i, reach);
      look_at_rewrite(i, reach);
    }
  }

 private:
  void report(std::size_t route, const Reach& reach) {
    const Node& at = match_node(nodes_[route]);
    if (reach.shadowing.empty()) {
      problems_.warning("RP2001", at.at, "no request matches this route: what it asks contradicts itself",
                        "delete one of its conditions, or the route");
      return;
    }
    std::string others;
    for (std::size_t i = 0; i < reach.shadowing.size() && i < kShadowingMax; ++i) {
      others += fmt::format("{}{}", others.empty() ? "" : ", ", line_of(nodes_[reach.shadowing[i]].at, at.at));
    }
    if (reach.shadowing.size() > kShadowingMax)
      others += fmt::format(" and {} more", reach.shadowing.size() - kShadowingMax);
    const bool is_one = reach.shadowing.size() == 1;
    problems_.warning("RP2001", at.at,
                      fmt::format("no request reaches this route: the route{} at {} take{} all of it, such as {}",
                                  is_one ? "" : "s", others, is_one ? "s" : "", reach.sample.label(scheme_of(config_))),
                      "delete it, ask for less in the other, or let this one go first with priority");
  }

  void look_at_prefix(std::size_t route) {
    const std::string& prefix = rules_[route].match.path.value;
    // Other characters end no word: "/user-*" is meant so.
    if (!is_alphanumeric(prefix.back())) return;
    const Node& at = match_node(nodes_[route], "path");
    if (is_secret(at)) return;
    problems_.warning("RP2002", at.at, fmt::format("{0}* matches {0}x, too, not only what is below {0}/", prefix),
                      fmt::format("write {0}/*, and a route for {0} itself if that is asked for", prefix));
  }

  // False: it can't match, which is told.
  bool look_at_regex(std::size_t route) {
    const Node& at = match_node(nodes_[route], "path_regex");
    if (is_secret(at)) return true;
    const auto literal = route::literal_prefix(rules_[route].match.path.value);
    const bool is_path = literal.text.empty() || literal.text.front() == '/';
    if (!is_path || literal.text.find_first_of("?#") != std::string::npos) {
      problems_.warning(
          "RP2004", at.at, fmt::format("no path matches: {}", is_path ? "a path has no query" : "paths begin with /"),
          is_path ? "match the query with query = { name = \"value\" }" : "write the whole path, as in \"/images/.*\"");
      return false;
    }
    // A path can't be written with one.
    if (literal.text.find('*') != std::string::npos) return true;
    if (literal.rest.empty() || literal.rest == "$" || literal.rest == ".*" || literal.rest == ".*$") {
      const bool is_prefix = literal.rest.starts_with('.');
      problems_.warning(
          "RP2003", at.at,
          fmt::format("this pattern is {}", is_prefix ? "a prefix" : "one path, and nothing of a pattern"),
          fmt::format("path = \"{}{}\" is found without trying patterns", literal.text, is_prefix ? "*" : ""));
    }
    return true;
  }

  static const route::RewriteOptions& rewrite_of(const proxy::Action& action) {
    static const route::RewriteOptions kNone;
    if (const auto* files = std::get_if<files::Options>(&action)) return files->rewrite;
    const auto* forward = std::get_if<proxy::ForwardAction>(&action);
    return forward != nullptr ? forward->rewrite : kNone;
  }

  void look_at_rewrite(std::size_t route, const Reach& reach) {
    const auto& options = rewrite_of(config_.routes[route].action);
    if (options.empty()) return;
    const Node& rewrite = *nodes_[route].find("rewrite");
    if (const Node* strip = rewrite.find("strip_prefix")) look_at_strip(rules_[route].match.path, options, *strip);
    if (options.add_prefix.empty() || options.regex.empty() || reach.kind != Reach::Kind::kReachable) return;
    std::vector<route::RewriteProblem> none;
    const auto compiled = route::Rewrite::compile(options, none);
    for (const std::string& path : {reach.sample.path, reach.sample.path + "x", reach.sample.path + "x/y"}) {
      Arena arena;
      const auto made = compiled->apply(path, arena);
      if (!made || made->starts_with(options.add_prefix)) continue;
      problems_.warning("RP2006", rewrite.find("regex")->at,
                        fmt::format("the pattern takes away what add_prefix has put there: {} becomes {}, not below {}",
                                    path, *made, options.add_prefix),
                        fmt::format("let the replacement begin with {}, or leave add_prefix out", options.add_prefix));
      return;
    }
  }

  void look_at_strip(const PathMatch& path, const route::RewriteOptions& options, const Node& at) {
    std::string strip = options.strip_prefix;
    if (strip.ends_with('/')) strip.pop_back();
    const bool is_prefix = path.kind == PathMatch::Kind::kPrefix;
    if (is_secret(at) || (!is_prefix && path.kind != PathMatch::Kind::kExact)) return;
    // Whole segments.
    const bool may_begin_so = path.value == strip || path.value.starts_with(strip + "/") ||
                              (is_prefix && (strip + "/").starts_with(path.value));
    if (may_begin_so) return;
    problems_.warning("RP2007", at.at,
                      fmt::format("no path of this route begins with {}: nothing is stripped", options.strip_prefix),
                      fmt::format("the route's paths are {}{}", path.value, is_prefix ? "*" : ""));
  }

  const config::Config& config_;
  const std::vector<Node>& nodes_;
  std::vector<route::Rule> rules_;
  std::vector<route::RuleProblem> known_;  // load() has told of them
  route::Router router_;
  std::size_t steps_left_ = kStepsMax;
  config::Problems& problems_;
};

}  // namespace

void lint_routes(const config::Loaded& loaded, config::Problems& problems) { RouteLint(loaded, problems).run(); }

}  // namespace rproxy::check
