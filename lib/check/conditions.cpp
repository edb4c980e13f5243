#include "check/conditions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "http/characters.h"

namespace rproxy::check {

using route::PathMatch;
using route::ValueMatch;

bool may_be_secret(std::string_view name) {
  std::string lower(name);
  for (char& c : lower) c = http::to_lower(c);
  return std::ranges::any_of(std::array{"auth", "cookie", "key", "pass", "secret", "session", "token"},
                             [&](std::string_view word) { return lower.find(word) != std::string::npos; });
}

std::string text_of(const PathMatch& path) {
  switch (path.kind) {
    case PathMatch::Kind::kAny:
      return {};
    case PathMatch::Kind::kExact:
      return path.value;
    case PathMatch::Kind::kPrefix:
      return path.value + "*";
    case PathMatch::Kind::kRegex:
      return "~ " + path.value;
  }
  return {};
}

std::string text_of(const ValueMatch& value) {
  const bool has_text = value.kind != ValueMatch::Kind::kPresent && value.kind != ValueMatch::Kind::kAbsent;
  if (has_text && (value.is_secret || may_be_secret(value.name))) return "a certain value";
  switch (value.kind) {
    case ValueMatch::Kind::kPresent:
      return "present";
    case ValueMatch::Kind::kAbsent:
      return "absent";
    case ValueMatch::Kind::kExact:
      return "= " + value.value;
    case ValueMatch::Kind::kPrefix:
      return fmt::format("= {}*", value.value);
    case ValueMatch::Kind::kRegex:
      return "~ " + value.value;
  }
  return {};
}

std::vector<Explanation::Named> conditions_of(const route::Match& match) {
  std::vector<Explanation::Named> conditions;
  const auto add = [&conditions](std::string name, std::string value) {
    if (!value.empty()) conditions.push_back({std::move(name), std::move(value)});
  };
  add("host", match.host);
  add("path", text_of(match.path));
  add("method", fmt::format("{}", fmt::join(match.methods, ", ")));
  for (const auto& value : match.headers) add("header " + value.name, text_of(value));
  for (const auto& value : match.query) add("query " + value.name, text_of(value));
  for (const auto& value : match.cookies) add("cookie " + value.name, text_of(value));
  std::string networks;
  for (const auto& network : match.client_ips) networks += (networks.empty() ? "" : ", ") + network.to_string();
  add("client_ip", networks);
  return conditions;
}

std::string text_of(const route::Match& match) {
  std::string text = match.host;
  if (match.path.kind == PathMatch::Kind::kRegex && !text.empty()) text += ' ';
  text += match.path.kind == PathMatch::Kind::kAny && !text.empty() ? "/*" : text_of(match.path);
  for (const auto& condition : conditions_of(match)) {
    if (condition.name == "host" || condition.name == "path") continue;
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", condition.name, condition.value);
  }
  return text.empty() ? "*" : text;
}

}  // namespace rproxy::check
