#include "check/difference.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <utility>

#include "check/judge.h"
#include "route/reach.h"

namespace rproxy::check {
namespace {

using route::Region;
using route::Sample;

// One of the two, asked as serve would be.
class Version {
 public:
  explicit Version(const config::Config& config) : config_(config), judge_(config) {}

  const Judge& judge() const { return judge_; }

  // Nothing where the request can't be put.
  std::optional<Explanation> fate_of(const Sample& sample, std::string_view scheme) const {
    Question question{sample.url(scheme), {}, sample.client.to_string()};
    for (const auto& [name, value] : sample.headers) question.headers.push_back(fmt::format("{}: {}", name, value));
    if (!sample.cookies.empty()) question.headers.push_back("Cookie: " + sample.cookie_header());
    auto asked = AskedRequest::make(question, config_);
    if (!asked) return std::nullopt;
    return judge_.explainer().explain(**asked, Explainer::Depth::kFate);
  }

  // What a route that has no name of its own is called is only how it is written.
  bool has_name(const Explanation& fate) const { return fate.route && config_.routes[*fate.route].has_name; }

 private:
  const config::Config& config_;
  Judge judge_;
};

// What of it a client or a server can see, each in a line of its own.
std::vector<std::string> lines_of(const Explanation& fate) {
  std::vector<std::string> lines;
  if (fate.status != 0) lines.push_back(fmt::format("status {}", fate.status));
  if (!fate.location.empty()) lines.push_back("location " + fate.location);
  if (fate.status == 0) {
    lines.push_back("upstream " + fate.upstream);
    lines.push_back("path " + fate.rewritten);
    lines.push_back("Host " + fate.host);
    for (const auto& server : fate.servers) lines.push_back(fmt::format("server {}, {}", server.address, server.state));
    for (const auto& [name, value] : fate.added) lines.push_back(fmt::format("+ {}: {}", name, value));
    for (const auto& [name, value] : fate.removed) lines.push_back(fmt::format("- {}", name));
  }
  lines.push_back("client " + fate.client);
  for (const auto& [name, value] : fate.steps) {
    // The path says it.
    if (name != "rewrite") lines.push_back(fmt::format("{}: {}", name, value));
  }
  return lines;
}

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
  // Where rules meet, and where those of one side end that the other's go on from; of very many only those of the same name.
  void add_between(const std::vector<route::Rule>& before, const std::vector<route::Rule>& after) {
    constexpr std::size_t kPairedMax = 100;
    std::map<std::string_view, std::vector<const route::Rule*>> groups;
    const bool has_few = before.size() + after.size() <= kPairedMax;
    for (const auto* side : {&before, &after}) {
      for (const route::Rule& rule : *side) groups[has_few ? std::string_view() : rule.name].push_back(&rule);
    }
    for (const auto& [name, rules] : groups) {
      if (rules.size() > kPairedMax) continue;
      for (const auto* rule : rules) {
        for (const auto* beside : rules) {
          if (rule != beside) add_pair(*rule, *beside);
        }
      }
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

  void add_pair(const route::Rule& rule, const route::Rule& beside) {
    std::vector<Region> regions{route::intersection(rule, beside)};
    route::subtract(route::region_of(rule), beside.match, regions);
    for (const Region& region : regions) {
      if (Sample sample; find_sample(region, sample) == route::Found::kExample) add(sample);
    }
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

bool is_served(const config::Config& config, std::string_view scheme) {
  return std::ranges::any_of(config.listeners,
                             [&](const auto& each) { return each.tls.has_value() == (scheme == "https"); });
}

std::string sample_text(const Sample& sample, std::string_view scheme) {
  std::string text = sample.label(scheme);
  for (const auto& [name, value] : sample.headers)
    text += fmt::format(" -H '{}: {}'", name, sample.has_secret ? "..." : value);
  if (!sample.cookies.empty())
    text += fmt::format(" -H 'Cookie: {}'", sample.has_secret ? "..." : sample.cookie_header());
  if (sample.client != *IpAddress::parse(kSomeClient)) text += fmt::format(" --from {}", sample.client.to_string());
  return text;
}

// Where it goes, and, of what goes to servers by both or is answered by both, what else differs from the other.
std::string fate_text(const Explanation& fate, const Explanation& other, bool is_brief) {
  std::string text = fate.route ? "route " + fate.route_name : "no route";
  text += fate.status != 0 ? fmt::format(", answered by {}", fate.status) : ", to " + fate.upstream;
  if (is_brief || (fate.status == 0) != (other.status == 0)) return text;
  const auto others = lines_of(other);
  for (const std::string& line : lines_of(fate)) {
    if (line.starts_with("upstream ") || line.starts_with("status ")) continue;
    if (std::ranges::find(others, line) == others.end()) text += ", " + line;
  }
  return text;
}

}  // namespace

std::vector<Difference> compare(const config::Config& before, const config::Config& after, std::size_t& asked) {
  const Version old_side(before);
  const Version new_side(after);
  Questions questions;
  questions.add(old_side.judge());
  questions.add(new_side.judge());
  questions.add_between(old_side.judge().rules(), new_side.judge().rules());
  asked = 0;
  std::vector<Difference> differences;
  for (const std::string_view scheme : {"http", "https"}) {
    if (!is_served(before, scheme) && !is_served(after, scheme)) continue;
    asked += questions.all().size();
    for (const Sample& sample : questions.all()) {
      const auto was = old_side.fate_of(sample, scheme);
      const auto is = new_side.fate_of(sample, scheme);
      if (!was || !is) continue;
      const bool is_named = old_side.has_name(*was) || new_side.has_name(*is);
      if (lines_of(*was) == lines_of(*is) && (!is_named || was->route_name == is->route_name)) continue;
      // What the request is made of may stand in all else.
      const bool is_brief = sample.has_secret;
      differences.push_back(
          {sample_text(sample, scheme), fate_text(*was, *is, is_brief), fate_text(*is, *was, is_brief)});
    }
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
