// What a route asks of a request. Plain data, as configured; router.h compiles it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/address.h"

namespace rproxy::route {

// A test of one header, query parameter or cookie.
struct ValueMatch {
  enum class Kind : std::uint8_t { kPresent, kAbsent, kExact, kPrefix, kRegex };
  std::string name;  // headers compare without case, the others with
  Kind kind = Kind::kPresent;
  std::string value;
  bool is_secret = false;  // the value is not the configuration's own text, and is not shown
  bool operator==(const ValueMatch&) const = default;
};

struct PathMatch {
  enum class Kind : std::uint8_t { kAny, kExact, kPrefix, kRegex };
  Kind kind = Kind::kAny;
  std::string value;  // kPrefix without the '*': "/images/" or "/api"; kRegex is RE2 and must match the whole path
  bool operator==(const PathMatch&) const = default;

  // "/images/*" a prefix, "/favicon.ico" exact, "" and "*" any.
  static PathMatch parse(const std::string& text);
};

struct Match {
  std::string host;  // "" any, "shop.com", "*.shop.com" (any number of labels below); lower case
  PathMatch path;
  std::vector<std::string> methods;  // empty: any. "GET" takes HEAD along
  std::vector<ValueMatch> headers;   // all must hold
  std::vector<ValueMatch> query;
  std::vector<ValueMatch> cookies;
  std::vector<IpNetwork> client_ips;  // any must hold
  bool operator==(const Match&) const = default;

  // "shop.com/images/*", "*.shop.com", "/api/*", "*": host, then path; a trailing '*' makes a prefix.
  static Match parse_short(const std::string& text);
};

struct Rule {
  std::string name;
  Match match;
  int priority = 0;  // higher first, before specificity
};

}  // namespace rproxy::route
