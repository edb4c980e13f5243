#include "route/router.h"

#include <algorithm>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>

#include "route/predicate.h"
#include "route/prefix_tree.h"
#include "route/rule_check.h"

namespace rproxy::route {
namespace {

using Verdict = std::optional<std::size_t>;

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
};
template <typename T>
using TextMap = std::unordered_map<std::string, T, TextHash, std::equal_to<>>;

// The rules of one pattern, in the order in which they are tried.
class Candidates {
 public:
  void add(std::size_t rule, Predicates predicates) {
    const auto fewer = [](std::size_t count, const Entry& entry) { return count > entry.predicates.count(); };
    const auto at = std::upper_bound(entries_.begin(), entries_.end(), predicates.count(), fewer);
    entries_.insert(at, Entry{rule, std::move(predicates)});
  }

  Verdict find(const http::RequestHead& head, const IpAddress& client) const {
    for (const Entry& entry : entries_) {
      if (entry.predicates.count() == 0 || entry.predicates.hold(head, client)) return entry.rule;
    }
    return std::nullopt;
  }

 private:
  struct Entry {
    std::size_t rule;
    Predicates predicates;
  };
  std::vector<Entry> entries_;
};

struct PatternCandidates {
  std::string pattern;
  std::unique_ptr<const re2::RE2> regex;
  Candidates candidates;
};

// The paths of one host.
class HostTable {
 public:
  void add(const Rule& rule, std::size_t index, std::string& error) {
    Predicates predicates(rule.match, error);
    Candidates* to = candidates_for(rule.match.path, error);
    if (to != nullptr) to->add(index, std::move(predicates));
  }

  void compile() {
    std::vector<std::pair<std::string, std::uint32_t>> prefixes;
    for (const auto& [prefix, index] : prefix_index_) prefixes.emplace_back(prefix, index);
    tree_ = PrefixTree(std::move(prefixes));
    prefix_index_.clear();
  }

  Verdict find(const http::RequestHead& head, const IpAddress& client) const {
    if (!exact_.empty()) {
      if (const auto found = exact_.find(head.path); found != exact_.end()) {
        if (auto rule = found->second.find(head, client)) return rule;
      }
    }
    for (auto node = tree_.longest(head.path); node != PrefixTree::kNone; node = tree_.shorter(node)) {
      if (auto rule = prefixes_[tree_.value(node)].find(head, client)) return rule;
    }
    for (const PatternCandidates& pattern : patterns_) {
      if (!re2::RE2::FullMatch({head.path.data(), head.path.size()}, *pattern.regex)) continue;
      if (auto rule = pattern.candidates.find(head, client)) return rule;
    }
    return any_.find(head, client);
  }

 private:
  Candidates* candidates_for(const PathMatch& path, std::string& error) {
    switch (path.kind) {
      case PathMatch::Kind::kExact:
        return &exact_[path.value];
      case PathMatch::Kind::kPrefix: {
        const auto [entry, made] = prefix_index_.try_emplace(path.value, static_cast<std::uint32_t>(prefixes_.size()));
        if (made) prefixes_.emplace_back();
        return &prefixes_[entry->second];
      }
      case PathMatch::Kind::kRegex: {
        for (PatternCandidates& known : patterns_) {
          if (known.pattern == path.value) return &known.candidates;
        }
        auto regex = compile_regex(path.value, error);
        if (!regex) return nullptr;
        patterns_.push_back({path.value, std::move(regex), {}});
        return &patterns_.back().candidates;
      }
      case PathMatch::Kind::kAny:
        break;
    }
    return &any_;
  }

  TextMap<Candidates> exact_;
  std::map<std::string, std::uint32_t> prefix_index_;  // while compiling
  std::vector<Candidates> prefixes_;
  PrefixTree tree_;
  std::vector<PatternCandidates> patterns_;
  Candidates any_;
};

// The rules of one priority.
struct Level {
  TextMap<HostTable> exact;
  TextMap<HostTable> wildcard;  // by what follows "*."
  HostTable any;

  HostTable& table_for(const std::string& host) {
    if (host.empty()) return any;
    return host.starts_with("*.") ? wildcard[host.substr(2)] : exact[host];
  }

  void compile() {
    for (auto& [host, table] : exact) table.compile();
    for (auto& [host, table] : wildcard) table.compile();
    any.compile();
  }

  Verdict find(const http::RequestHead& head, const IpAddress& client) const {
    if (!exact.empty()) {
      if (const auto found = exact.find(head.host); found != exact.end()) {
        if (auto rule = found->second.find(head, client)) return rule;
      }
    }
    if (!wildcard.empty()) {
      for (auto dot = head.host.find('.'); dot != std::string_view::npos; dot = head.host.find('.', dot + 1)) {
        const auto found = wildcard.find(head.host.substr(dot + 1));
        if (found == wildcard.end()) continue;
        if (auto rule = found->second.find(head, client)) return rule;
      }
    }
    return any.find(head, client);
  }
};

}  // namespace

struct Router::Table {
  std::vector<Level> levels;  // highest priority first
  std::size_t size = 0;
};

Router::Router(std::span<const Rule> rules, std::vector<RuleProblem>& problems) {
  check_rules(rules, problems);
  std::map<int, Level, std::greater<>> levels;
  for (std::size_t i = 0; i < rules.size(); ++i) {
    std::string error;
    levels[rules[i].priority].table_for(rules[i].match.host).add(rules[i], i, error);
    if (!error.empty()) problems.push_back({i, RuleProblem::Kind::kBadRegex, 0, std::move(error)});
  }
  auto table = std::make_unique<Table>();
  table->size = rules.size();
  for (auto& [priority, level] : levels) {
    level.compile();
    table->levels.push_back(std::move(level));
  }
  table_ = std::move(table);
}

Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

std::optional<std::size_t> Router::match(const http::RequestHead& head, const IpAddress& client) const {
  for (const Level& level : table_->levels) {
    if (auto rule = level.find(head, client)) return rule;
  }
  return std::nullopt;
}

std::size_t Router::size() const { return table_->size; }

}  // namespace rproxy::route
