#include "check/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "check/judge.h"
#include "check/leads_to.h"
#include "check/lint_parts.h"
#include "check/steps.h"
#include "route/reach.h"

namespace rproxy::check {
namespace {

using route::Region;
using route::Sample;

// What becomes of a request, as far as the route decides it.
struct Fate {
  std::string route;
  std::string leads_to;
  std::string rewrite;
  std::vector<std::string> steps;
  bool operator==(const Fate&) const = default;
};

class Side {
 public:
  explicit Side(const config::Config& config) : config_(config), judge_(config) {}

  const Judge& judge() const { return judge_; }

  Fate fate_of(const Sample& sample) const {
    const route::SampleHead made(sample);
    const auto winner = judge_.router().match(made.head(), sample.client);
    if (!winner) return {"", "404", "", {}};
    const config::Route& route = config_.routes[*winner];
    Fate fate{route.rule.name, leads_to(route.action), "", {}};
    const auto* forward = std::get_if<proxy::ForwardAction>(&route.action);
    if (forward == nullptr) return fate;
    std::vector<Explanation::Named> steps;
    add_route_steps(*forward, steps);
    for (const std::string& target : forward->targets())
      add_upstream_steps(*std::ranges::find(config_.upstreams, target, &upstream::Options::name), steps);
    for (const auto& [name, value] : steps) fate.steps.push_back(fmt::format("{}: {}", name, value));
    if (forward->rewrite.empty()) return fate;
    Arena arena;
    std::vector<route::RewriteProblem> none;
    const auto path = route::Rewrite::compile(forward->rewrite, none)->apply(sample.path, arena);
    fate.rewrite = path ? std::string(*path) : "no path";
    return fate;
  }

 private:
  const config::Config& config_;
  Judge judge_;
};

// Requests by which something may show, each once.
class Questions {
 public:
  void add(const Judge& judge) {
    for (std::size_t i = 0; i < judge.rules().size(); ++i) {
      const auto reach = route::reach_of(i, judge.rules(), judge.router());
      if (reach.kind == route::Reach::Kind::kReachable) add(reach.sample);
      const Region region = route::region_of(judge.rules()[i]);
      if (Sample sample; find_sample(region, sample) == route::Found::kExample) add_around(sample);
      add_beyond(region);
    }
  }
  const std::vector<Sample>& all() const { return all_; }

 private:
  // Paths at the edge of what a rule takes.
  void add_around(const Sample& sample) {
    add(sample);
    Sample other = sample;
    other.path += "x";
    add(other);
    other.path = sample.path + (sample.path.ends_with('/') ? "x/y" : "/x");
    add(other);
    if (sample.path.size() > 1 && sample.path.ends_with('/')) {
      other.path = sample.path.substr(0, sample.path.size() - 1);
      add(other);
    }
    other = sample;
    other.method = sample.method == "GET" ? "POST" : "GET";
    add(other);
  }

  // All that is asked holds but for one part of it, of which nothing does.
  void add_beyond(const Region& region) {
    const auto turn = [this, &region](auto change) {
      Region beyond = region;
      auto& asked = change(beyond);
      if (asked.all_hold.empty()) return;
      std::swap(asked.all_hold, asked.none_holds);
      if (Sample sample; find_sample(beyond, sample) == route::Found::kExample) add(sample);
    };
    turn([](Region & r) -> auto& { return r.host; });
    turn([](Region & r) -> auto& { return r.path; });
    turn([](Region & r) -> auto& { return r.methods; });
    turn([](Region & r) -> auto& { return r.client; });
    for (const auto& [key, ignored] : region.values) turn([&key = key](Region & r) -> auto& { return r.values[key]; });
  }

  void add(const Sample& sample) {
    std::string key = fmt::format("{}|{}|{}", sample.url("http"), sample.cookie_header(), sample.client.to_string());
    for (const auto& [name, value] : sample.headers) key += fmt::format("|{}:{}", name, value);
    if (known_.insert(std::move(key)).second) all_.push_back(sample);
  }

  std::set<std::string> known_;
  std::vector<Sample> all_;
};

std::string text_of(const Sample& sample, std::string_view scheme) {
  std::string text = sample.label(scheme);
  for (const auto& [name, value] : sample.headers)
    text += fmt::format(" -H '{}: {}'", name, sample.has_secret ? "..." : value);
  if (!sample.cookies.empty())
    text += fmt::format(" -H 'Cookie: {}'", sample.has_secret ? "..." : sample.cookie_header());
  if (sample.client != *IpAddress::parse(kSomeClient)) text += fmt::format(" --from {}", sample.client.to_string());
  return text;
}

// Only as much as it takes to see the difference.
std::string text_of(const Fate& fate, const Fate& other) {
  std::string text = fate.route.empty() ? "no route" : "route " + fate.route;
  text += ", to " + fate.leads_to;
  if (fate.rewrite != other.rewrite) text += ", path " + (fate.rewrite.empty() ? "as it is" : fate.rewrite);
  for (const std::string& step : fate.steps) {
    if (std::ranges::find(other.steps, step) == other.steps.end()) text += ", " + step;
  }
  return text;
}

}  // namespace

std::vector<Difference> compare(const config::Config& before, const config::Config& after, std::size_t& asked) {
  const Side old_side(before);
  const Side new_side(after);
  Questions questions;
  questions.add(old_side.judge());
  questions.add(new_side.judge());
  asked = questions.all().size();
  std::vector<Difference> differences;
  for (const Sample& sample : questions.all()) {
    const Fate was = old_side.fate_of(sample);
    const Fate is = new_side.fate_of(sample);
    if (was != is) differences.push_back({text_of(sample, scheme_of(after)), text_of(was, is), text_of(is, was)});
  }
  std::ranges::sort(differences, {}, &Difference::request);
  return differences;
}

std::string render_text(const std::vector<Difference>& differences) {
  std::string out;
  for (const auto& [request, before, after] : differences)
    out += fmt::format("{}\n  - {}\n  + {}\n", request, before, after);
  return out;
}

std::string render_json(const std::vector<Difference>& differences) {
  auto list = nlohmann::ordered_json::array();
  for (const auto& [request, before, after] : differences)
    list.push_back({{"request", request}, {"before", before}, {"after", after}});
  return list.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace rproxy::check
