#include "route/explainer.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "http/characters.h"

namespace rproxy::route {
namespace {

enum class HostClass : std::uint8_t { kAny, kWildcard, kExact };

HostClass class_of(const std::string& host) {
  if (host.empty()) return HostClass::kAny;
  return host.starts_with("*.") ? HostClass::kWildcard : HostClass::kExact;
}

// Higher goes first.
int rank_of(PathMatch::Kind kind) {
  switch (kind) {
    case PathMatch::Kind::kExact:
      return 3;
    case PathMatch::Kind::kPrefix:
      return 2;
    case PathMatch::Kind::kRegex:
      return 1;
    case PathMatch::Kind::kAny:
      break;
  }
  return 0;
}

std::size_t condition_count(const Match& match) {
  return (match.methods.empty() ? 0 : 1) + match.headers.size() + match.query.size() + match.cookies.size() +
         (match.client_ips.empty() ? 0 : 1);
}

// What decides between two rules, the first difference from the left. Lower goes first.
struct Precedence {
  int priority;
  std::pair<int, std::size_t> host;
  std::pair<int, std::size_t> path;
  std::size_t conditions;
  std::size_t index;
  auto operator<=>(const Precedence&) const = default;
};

class Precedences {
 public:
  explicit Precedences(std::span<const Rule> rules) : rules_(rules) {
    // A pattern is tried where it is met first, for all rules that have it.
    for (std::size_t i = 0; i < rules.size(); ++i) {
      if (rules[i].match.path.kind == PathMatch::Kind::kRegex) first_.emplace(pattern_of(i), i);
    }
  }

  Precedence of(std::size_t index) const {
    const Rule& rule = rules_[index];
    const PathMatch& path = rule.match.path;
    const bool is_regex = path.kind == PathMatch::Kind::kRegex;
    return {-rule.priority,
            {-static_cast<int>(class_of(rule.match.host)), ~rule.match.host.size()},
            {-rank_of(path.kind), is_regex ? first_.at(pattern_of(index)) : ~path.value.size()},
            ~condition_count(rule.match),
            index};
  }

 private:
  using Pattern = std::tuple<int, std::string_view, std::string_view>;
  Pattern pattern_of(std::size_t index) const {
    const Rule& rule = rules_[index];
    return {rule.priority, rule.match.host, rule.match.path.value};
  }

  std::span<const Rule> rules_;
  std::map<Pattern, std::size_t> first_;
};

std::string_view difference(const Precedence& winner, const Precedence& other) {
  if (winner.priority != other.priority) return "priority";
  if (winner.host != other.host) return "host";
  if (winner.path != other.path) return "path";
  return winner.conditions != other.conditions ? "conditions" : "file order";
}

bool host_holds(const std::string& asked, std::string_view host) {
  if (class_of(asked) == HostClass::kWildcard) {
    const auto suffix = std::string_view(asked).substr(1);
    // Labels in front of the dot, however many; none is no host below.
    return host.size() > suffix.size() && host.ends_with(suffix);
  }
  return asked.empty() || asked == host;
}

// How far a rule came, further first.
int distance_of(const Loss& loss) {
  switch (loss.aspect) {
    case Aspect::kPrecedence:
      return 0;
    case Aspect::kHost:
      return 3;
    case Aspect::kPath:
      return 2;
    default:
      return 1;
  }
}

Aspect aspect_of(Predicates::Kind kind) {
  switch (kind) {
    case Predicates::Kind::kMethod:
      return Aspect::kMethod;
    case Predicates::Kind::kHeader:
      return Aspect::kHeader;
    case Predicates::Kind::kQuery:
      return Aspect::kQuery;
    case Predicates::Kind::kCookie:
      return Aspect::kCookie;
    case Predicates::Kind::kClientIp:
      break;
  }
  return Aspect::kClientIp;
}

}  // namespace

std::vector<std::size_t> by_precedence(std::span<const Rule> rules) {
  const Precedences known(rules);
  std::vector<Precedence> all;
  all.reserve(rules.size());
  for (std::size_t i = 0; i < rules.size(); ++i) all.push_back(known.of(i));
  std::ranges::sort(all);
  std::vector<std::size_t> order;
  order.reserve(rules.size());
  for (const Precedence& each : all) order.push_back(each.index);
  return order;
}

Explainer::Explainer(std::span<const Rule> rules) : rules_(rules.begin(), rules.end()), order_(by_precedence(rules_)) {
  std::string ignored;  // the Router has refused bad patterns
  for (const Rule& rule : rules_) {
    predicates_.emplace_back(rule.match, ignored);
    const bool is_regex = rule.match.path.kind == PathMatch::Kind::kRegex;
    path_regexes_.push_back(is_regex ? compile_regex(rule.match.path.value, ignored) : nullptr);
  }
}

// Nothing where all that it asks holds.
std::optional<Loss> Explainer::loss_of(std::size_t rule, const http::RequestHead& head, const IpAddress& client) const {
  const Match& match = rules_[rule].match;
  if (!host_holds(match.host, head.host)) return Loss{rule, Aspect::kHost, nullptr, {}};
  bool is_path = true;
  if (match.path.kind == PathMatch::Kind::kExact) is_path = head.path == match.path.value;
  if (match.path.kind == PathMatch::Kind::kPrefix) is_path = head.path.starts_with(match.path.value);
  if (match.path.kind == PathMatch::Kind::kRegex)
    is_path = re2::RE2::FullMatch({head.path.data(), head.path.size()}, *path_regexes_[rule]);
  if (!is_path) return Loss{rule, Aspect::kPath, nullptr, {}};
  const auto failing = predicates_[rule].first_failing(head, client);
  if (!failing) return std::nullopt;
  const Aspect aspect = aspect_of(failing->kind);
  const std::vector<ValueMatch>* asked = aspect == Aspect::kHeader  ? &match.headers
                                         : aspect == Aspect::kQuery ? &match.query
                                                                    : &match.cookies;
  const bool is_named = aspect == Aspect::kHeader || aspect == Aspect::kQuery || aspect == Aspect::kCookie;
  return Loss{rule, aspect, is_named ? &(*asked)[failing->index] : nullptr, {}};
}

Explainer::Explanation Explainer::explain(const http::RequestHead& head, const IpAddress& client,
                                          std::size_t runners_up_max) const {
  const Precedences precedences(rules_);
  Explanation out;
  for (const std::size_t rule : order_) {
    auto loss = loss_of(rule, head, client);
    if (!loss && !out.winner) {
      out.winner = rule;
    } else if (!loss) {
      const auto behind = difference(precedences.of(*out.winner), precedences.of(rule));
      out.runners_up.push_back({rule, Aspect::kPrecedence, nullptr, behind});
    } else {
      out.runners_up.push_back(*loss);
    }
  }
  std::ranges::stable_sort(out.runners_up, {}, distance_of);
  if (out.runners_up.size() > runners_up_max) out.runners_up.resize(runners_up_max);
  return out;
}

}  // namespace rproxy::route
