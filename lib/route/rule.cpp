#include "route/rule.h"

#include "http/characters.h"

namespace rproxy::route {

PathMatch PathMatch::parse(const std::string& text) {
  if (text.empty() || text == "*" || text == "/*") return {};
  if (text.back() == '*') return {Kind::kPrefix, text.substr(0, text.size() - 1)};
  return {Kind::kExact, text};
}

Match Match::parse_short(const std::string& text) {
  Match match;
  // A lone '*' is any host; "*.shop.com" keeps its star.
  const auto slash = text.find('/');
  match.host = text.substr(0, slash);
  for (char& c : match.host) c = http::to_lower(c);
  if (match.host == "*") match.host.clear();
  if (slash != std::string::npos) match.path = PathMatch::parse(text.substr(slash));
  return match;
}

}  // namespace rproxy::route
