#include "route/reach.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "http/characters.h"

namespace rproxy::route {
namespace {

std::string lower(const std::string& text) {
  std::string out = text;
  for (char& c : out) c = http::to_lower(c);
  return out;
}

template <typename T>
void add(Asked<T>& asked, const T& condition, bool holds) {
  auto& list = holds ? asked.all_hold : asked.none_holds;
  if (std::ranges::find(list, &condition) == list.end()) list.push_back(&condition);
}

// Calls `visit` for each condition that the rule has, with what adds it to a region.
template <typename Visit>
void for_each_condition(const Match& match, Visit visit) {
  if (!match.host.empty()) visit([&](Region& region, bool holds) { add(region.host, match.host, holds); });
  if (match.path.kind != PathMatch::Kind::kAny)
    visit([&](Region& region, bool holds) { add(region.path, match.path, holds); });
  if (!match.methods.empty()) visit([&](Region& region, bool holds) { add(region.methods, match.methods, holds); });
  const auto visit_values = [&](Region::Part part, const std::vector<ValueMatch>& values) {
    for (const ValueMatch& value : values) {
      const bool is_header = part == Region::Part::kHeader;
      visit([&, name = is_header ? lower(value.name) : value.name](Region& region, bool holds) {
        add(region.values[{part, name}], value, holds);
      });
    }
  };
  visit_values(Region::Part::kHeader, match.headers);
  visit_values(Region::Part::kQuery, match.query);
  visit_values(Region::Part::kCookie, match.cookies);
  if (!match.client_ips.empty())
    visit([&](Region& region, bool holds) { add(region.client, match.client_ips, holds); });
}

class Search {
 public:
  Search(std::size_t rule, std::span<const Rule> rules, const Router& router)
      : rule_(rule), rules_(rules), router_(router) {}

  Reach run(std::size_t steps_max) {
    open_.push_back(region_of(rules_[rule_]));
    std::size_t step = 0;
    for (; !open_.empty(); ++step) {
      if (step == steps_max) return {Reach::Kind::kUnknown, {}, {}, step};
      const Region region = std::move(open_.back());
      open_.pop_back();
      if (auto reach = look_at(region)) {
        reach->steps = step + 1;
        return std::move(*reach);
      }
    }
    if (is_uncertain_) return {Reach::Kind::kUnknown, {}, {}, step};
    return {Reach::Kind::kUnreachable, std::move(taken_), std::move(takers_), step};
  }

 private:
  std::optional<Reach> look_at(const Region& region) {
    Sample sample;
    const Found found = find_sample(region, sample);
    if (found != Found::kExample) {
      is_uncertain_ = is_uncertain_ || found == Found::kUnknown;
      return std::nullopt;
    }
    const SampleHead made(sample);
    const auto winner = router_.match(made.head(), sample.client);
    if (winner == rule_) return Reach{Reach::Kind::kReachable, std::move(sample), {}, 0};
    if (!winner) {
      // The Router sees the example otherwise than we do.
      is_uncertain_ = true;
      return std::nullopt;
    }
    if (takers_.empty()) taken_ = std::move(sample);
    if (std::ranges::find(takers_, *winner) == takers_.end()) takers_.push_back(*winner);
    subtract(region, rules_[*winner].match, open_);
    return std::nullopt;
  }

  std::size_t rule_;
  std::span<const Rule> rules_;
  const Router& router_;
  std::vector<Region> open_;
  std::vector<std::size_t> takers_;
  Sample taken_;
  bool is_uncertain_ = false;
};

}  // namespace

void subtract(const Region& region, const Match& taker, std::vector<Region>& out) {
  Region rest = region;
  std::vector<Region> parts;
  for_each_condition(taker, [&](const auto& add_condition) {
    parts.push_back(rest);
    add_condition(parts.back(), false);
    add_condition(rest, true);
  });
  // The last is looked at first: what differs in the least.
  std::ranges::move(parts, std::back_inserter(out));
}

Region intersection(const Rule& a, const Rule& b) {
  Region region = region_of(a);
  for_each_condition(b.match, [&](const auto& add_condition) { add_condition(region, true); });
  return region;
}

Region region_of(const Rule& rule) {
  Region region;
  for_each_condition(rule.match, [&](const auto& add_condition) { add_condition(region, true); });
  return region;
}

Reach reach_of(std::size_t rule, std::span<const Rule> rules, const Router& router, std::size_t steps_max) {
  return Search(rule, rules, router).run(std::min(steps_max, kReachStepsMax));
}

}  // namespace rproxy::route
