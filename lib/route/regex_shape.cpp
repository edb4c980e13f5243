#include "route/regex_shape.h"

#include <algorithm>
#include <optional>

namespace rproxy::route {
namespace {

constexpr std::size_t kDepthMax = 32;
constexpr std::size_t kRepeatMax = 64;
constexpr std::size_t kSizeMax = 1024;

bool is_alphanumeric(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// One walk, always taking the same choice: which alternative, and how often what may be repeated.
class Walk {
 public:
  Walk(std::string_view pattern, std::size_t alternative, bool is_generous)
      : rest_(pattern), alternative_(alternative), is_generous_(is_generous) {}

  std::optional<std::string> run() {
    auto text = alternatives(0);
    if (!text || !rest_.empty() || text->size() > kSizeMax) return std::nullopt;
    return text;
  }

 private:
  std::optional<std::string> alternatives(std::size_t depth) {
    if (depth > kDepthMax) return std::nullopt;
    std::vector<std::string> all;
    do {
      auto one = sequence(depth);
      if (!one) return std::nullopt;
      all.push_back(std::move(*one));
    } while (take('|'));
    return all[std::min(alternative_, all.size() - 1)];
  }

  std::optional<std::string> sequence(std::size_t depth) {
    std::string out;
    while (!rest_.empty() && rest_.front() != '|' && rest_.front() != ')') {
      const auto one = atom(depth);
      if (!one) return std::nullopt;
      const auto times = repetition();
      if (!times) return std::nullopt;
      for (std::size_t i = 0; i < *times && out.size() <= kSizeMax; ++i) out += *one;
    }
    return out;
  }

  std::optional<std::string> atom(std::size_t depth) {
    const char c = rest_.front();
    rest_.remove_prefix(1);
    switch (c) {
      case '(':
        return group(depth);
      case '[':
        return character_class();
      case '\\':
        return escape();
      case '.':
        return "x";
      case '^':
      case '$':
        return "";
      default:
        return std::string(1, c);
    }
  }

  std::optional<std::string> group(std::size_t depth) {
    if (take('?')) {
      if (rest_.starts_with("P<")) {
        const auto end = rest_.find('>');
        if (end == rest_.npos) return std::nullopt;
        rest_.remove_prefix(end + 1);
      } else if (!take(':')) {
        return std::nullopt;  // flags change what is meant
      }
    }
    auto text = alternatives(depth + 1);
    if (!take(')')) return std::nullopt;
    return text;
  }

  // A letter, digit or other character that the class has.
  std::optional<std::string> character_class() {
    const bool is_negated = take('^');
    const auto end = rest_.find(']', 1);
    if (end == rest_.npos) return std::nullopt;
    const std::string_view body = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    if (body.find('[') != body.npos || body.find('\\') != body.npos) return std::nullopt;
    const auto has = [&](char c) {
      for (std::size_t i = 0; i < body.size(); ++i) {
        const bool is_range = i + 2 < body.size() && body[i + 1] == '-';
        if (is_range ? body[i] <= c && c <= body[i + 2] : body[i] == c) return true;
        if (is_range) i += 2;
      }
      return false;
    };
    // Another one each time, where there are several.
    std::string fitting;
    for (const char c : std::string_view("ax0A1bcdefghijklmnopqrstuvwyz23456789BCDEFGHIJKLMNOPQRSTUVWXYZ-_.~/ ")) {
      if (has(c) != is_negated) fitting += c;
      if (fitting.size() > alternative_) break;
    }
    if (!fitting.empty()) return std::string(1, fitting.back());
    if (is_negated || body.empty()) return std::nullopt;
    return std::string(1, body.front());
  }

  std::optional<std::string> escape() {
    if (rest_.empty()) return std::nullopt;
    const char c = rest_.front();
    rest_.remove_prefix(1);
    switch (c) {
      case 'd':
        return "1";
      case 'w':
      case 'D':
      case 'S':
        return "a";
      case 's':
        return " ";
      case 'W':
        return "-";
      case 'A':
      case 'z':
      case 'b':
        return "";
      default:
        // What is no letter and no digit stands for itself.
        if (is_alphanumeric(c)) return std::nullopt;
        return std::string(1, c);
    }
  }

  std::optional<std::size_t> repetition() {
    std::size_t times = 1;
    if (take('*') || take('?')) {
      times = is_generous_ ? 1 : 0;
    } else if (take('+')) {
      times = 1;
    } else if (rest_.starts_with('{')) {
      const auto end = rest_.find('}');
      if (end == rest_.npos) return std::nullopt;
      times = 0;
      for (const char c : rest_.substr(1, end - 1)) {
        if (c < '0' || c > '9') break;
        times = std::min(times * 10 + static_cast<std::size_t>(c - '0'), kRepeatMax);
      }
      if (times == 0 && is_generous_) times = 1;
      rest_.remove_prefix(end + 1);
    }
    take('?');
    return times;
  }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  std::string_view rest_;
  std::size_t alternative_;
  bool is_generous_;
};

// Whether it has alternatives that are not within a group.
bool has_alternatives(std::string_view pattern) {
  std::size_t depth = 0;
  bool is_class = false;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    const char c = pattern[i];
    if (c == '\\') {
      ++i;
    } else if (is_class) {
      is_class = c != ']';
    } else if (c == '[') {
      // One right behind belongs to the class.
      is_class = true;
      if (pattern.substr(i + 1).starts_with('^')) ++i;
      if (pattern.substr(i + 1).starts_with(']')) ++i;
    } else if (c == '(') {
      ++depth;
    } else if (c == ')') {
      --depth;
    } else if (c == '|' && depth == 0) {
      return true;
    }
  }
  return false;
}

}  // namespace

LiteralPrefix literal_prefix(std::string_view pattern) {
  LiteralPrefix prefix{{}, pattern};
  if (has_alternatives(pattern)) return prefix;
  if (prefix.rest.starts_with('^')) prefix.rest.remove_prefix(1);
  while (!prefix.rest.empty()) {
    const bool is_escaped = prefix.rest.front() == '\\';
    const std::size_t size = is_escaped ? 2 : 1;
    if (prefix.rest.size() < size) break;
    const char c = prefix.rest[size - 1];
    constexpr std::string_view kSpecial = ".[]()*+?{}|^$";
    if (is_escaped ? is_alphanumeric(c) : kSpecial.find(c) != kSpecial.npos) break;
    // Another number of it may be there.
    const auto after = prefix.rest.substr(size);
    if (!after.empty() && std::string_view("*?{+").find(after.front()) != std::string_view::npos) break;
    prefix.text += c;
    prefix.rest = after;
  }
  return prefix;
}

std::vector<std::string> guess_examples(std::string_view pattern) {
  constexpr std::size_t kAlternatives = 4;
  std::vector<std::string> all;
  for (const bool is_generous : {true, false}) {
    for (std::size_t alternative = 0; alternative < kAlternatives; ++alternative) {
      auto text = Walk(pattern, alternative, is_generous).run();
      if (text && std::ranges::find(all, *text) == all.end()) all.push_back(std::move(*text));
    }
  }
  return all;
}

}  // namespace rproxy::route
