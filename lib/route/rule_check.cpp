#include "route/rule_check.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "base/arena.h"
#include "http/authority.h"
#include "http/path.h"

namespace rproxy::route {
namespace {

// Rules of one pattern are compared with each other; a hostile file must not make that quadratic without end.
constexpr std::size_t kComparedMax = 64;

std::string host_problem(const std::string& host) {
  if (host.empty()) return {};
  std::string_view name = host;
  if (name.starts_with("*.")) name.remove_prefix(2);
  http::Authority parts;
  if (name.find('*') != std::string_view::npos)
    return "a wildcard stands for whole labels at the beginning only: *.shop.com";
  if (!http::parse_authority(name, parts)) return "not a host name";
  if (parts.port || parts.host.size() != name.size()) return "a host is matched without its port";
  if (name.ends_with('.')) return "a host is matched without its final dot";
  return {};
}

// A path that no normalised path can begin with or be can never match.
std::string path_problem(const PathMatch& path) {
  if (path.kind != PathMatch::Kind::kExact && path.kind != PathMatch::Kind::kPrefix) return {};
  if (!path.value.starts_with('/')) return "a path begins with /";
  if (path.value.find_first_of("?#") != std::string::npos)
    return "a path has no query; match it with query = { name = \"value\" }";
  if (path.value.find('*') != std::string::npos) return "a * stands at the end only; use path_regex for more";
  Arena arena;
  http::PathPolicy keep;
  keep.duplicate_slashes = http::PathPolicy::Slashes::kKeep;
  // The tail of a prefix may be cut anywhere: "/a/." is the beginning of "/a/.well-known".
  std::string probe = path.value;
  if (path.kind == PathMatch::Kind::kPrefix && !probe.ends_with('/')) probe += 'x';
  const auto normal = http::normalize_path(probe, keep, arena);
  if (!normal) return "no request can have this path";
  if (*normal != probe)
    return "requests are brought to the spelling " + std::string(*normal) + " before they are matched";
  return {};
}

bool values_differ(const std::vector<ValueMatch>& a, const std::vector<ValueMatch>& b) {
  using Kind = ValueMatch::Kind;
  for (const ValueMatch& x : a) {
    for (const ValueMatch& y : b) {
      if (x.name != y.name) continue;
      if (x.kind == Kind::kExact && y.kind == Kind::kExact && x.value != y.value) return true;
      if ((x.kind == Kind::kAbsent) != (y.kind == Kind::kAbsent)) return true;
    }
  }
  return false;
}

bool is_disjoint(const Match& a, const Match& b) {
  if (!a.methods.empty() && !b.methods.empty() && std::ranges::find_first_of(a.methods, b.methods) == a.methods.end()) {
    return true;
  }
  return values_differ(a.headers, b.headers) || values_differ(a.query, b.query) || values_differ(a.cookies, b.cookies);
}

std::size_t predicate_count(const Match& match) {
  return (match.methods.empty() ? 0 : 1) + match.headers.size() + match.query.size() + match.cookies.size() +
         (match.client_ips.empty() ? 0 : 1);
}

}  // namespace

void check_rules(std::span<const Rule> rules, std::vector<RuleProblem>& problems) {
  using Kind = RuleProblem::Kind;
  std::map<std::tuple<int, std::string, PathMatch::Kind, std::string>, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    const Match& match = rules[i].match;
    if (auto detail = host_problem(match.host); !detail.empty())
      problems.push_back({i, Kind::kBadHost, 0, std::move(detail)});
    if (auto detail = path_problem(match.path); !detail.empty())
      problems.push_back({i, Kind::kBadPath, 0, std::move(detail)});
    auto& group = groups[{rules[i].priority, match.host, match.path.kind, match.path.value}];
    const std::size_t begin = group.size() > kComparedMax ? group.size() - kComparedMax : 0;
    for (std::size_t k = begin; k < group.size(); ++k) {
      const Match& other = rules[group[k]].match;
      if (match == other) {
        problems.push_back({i, Kind::kDuplicate, group[k], {}});
        break;
      }
      if (predicate_count(match) == predicate_count(other) && !is_disjoint(match, other)) {
        problems.push_back({i, Kind::kTie, group[k], {}});
        break;
      }
    }
    group.push_back(i);
  }
}

}  // namespace rproxy::route
