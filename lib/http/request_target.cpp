#include "http/request_target.h"

#include "http/authority.h"
#include "http/characters.h"

namespace rproxy::http {
namespace {

const char* parse_origin_form(std::string_view target, RequestHead& head, const PathPolicy& paths, Arena& arena) {
  const auto mark = target.find('?');
  auto path = target.substr(0, mark);
  if (mark != std::string_view::npos) {
    head.has_query = true;
    head.query = target.substr(mark + 1);
    if (!all_are(head.query, kQueryChar)) return "invalid character in the query";
  }
  auto normal = normalize_path(path, paths, arena);
  if (!normal) return "invalid path";
  head.path = *normal;
  return nullptr;
}

// RFC 9112 3.2.2: the target's authority wins over Host.
const char* parse_absolute_form(std::string_view target, RequestHead& head, const PathPolicy& paths, Arena& arena) {
  const auto colon = target.find("://");
  if (colon == std::string_view::npos) return "invalid request target";
  const auto scheme = target.substr(0, colon);
  if (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https")) return "unknown scheme";
  const auto rest = target.substr(colon + 3);
  const auto end = rest.find_first_of("/?");
  if (const char* wrong = set_authority(rest.substr(0, end), head, arena)) return wrong;
  const auto tail = end == std::string_view::npos ? std::string_view{} : rest.substr(end);
  if (tail.empty() && head.method_id == Method::kOptions) {
    head.path = "*";  // RFC 9112 3.2.4
    return nullptr;
  }
  if (!tail.empty() && tail[0] == '/') return parse_origin_form(tail, head, paths, arena);
  return parse_origin_form(arena.concat({"/", tail}), head, paths, arena);
}

}  // namespace

const char* parse_request_target(std::string_view target, RequestHead& head, const PathPolicy& paths, Arena& arena) {
  if (target.empty()) return "empty request target";
  head.target = target;
  if (target[0] == '/') return parse_origin_form(target, head, paths, arena);
  if (target == "*") {
    if (head.method_id != Method::kOptions) return "target * is for OPTIONS";
    head.path = "*";
    return nullptr;
  }
  return parse_absolute_form(target, head, paths, arena);
}

const char* set_authority(std::string_view authority, RequestHead& head, Arena& arena) {
  Authority parts;
  if (!parse_authority(authority, parts)) return "invalid host";
  head.authority = authority;
  auto host = parts.host;
  if (host.size() > 1 && host.back() == '.') host.remove_suffix(1);
  bool has_upper = false;
  for (const char c : host) has_upper = has_upper || (c >= 'A' && c <= 'Z');
  if (has_upper) {
    char* lower = arena.allocate(host.size());
    for (std::size_t i = 0; i < host.size(); ++i) lower[i] = to_lower(host[i]);
    host = {lower, host.size()};
  }
  head.host = host;
  return nullptr;
}

}  // namespace rproxy::http
