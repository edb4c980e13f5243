#include "route/region.h"

#include <algorithm>

#include "base/arena.h"
#include "http/authority.h"
#include "http/fields.h"
#include "http/path.h"
#include "route/predicate.h"
#include "route/regex_shape.h"

namespace rproxy::route {
namespace {

constexpr std::size_t kFreshMax = 256;

bool is_wildcard(const std::string& host) { return host.starts_with("*."); }

bool host_holds(const std::string& asked, const std::string& host) {
  if (asked.empty()) return true;
  if (!is_wildcard(asked)) return asked == host;
  return host.size() > asked.size() - 1 && host.ends_with(std::string_view(asked).substr(1));
}

bool is_host(const std::string& text) {
  http::Authority parts;
  return http::parse_authority(text, parts) && !parts.port && parts.host.size() == text.size();
}

bool path_holds(const PathMatch& asked, const std::string& path) {
  switch (asked.kind) {
    case PathMatch::Kind::kAny:
      return true;
    case PathMatch::Kind::kExact:
      return path == asked.value;
    case PathMatch::Kind::kPrefix:
      return path.starts_with(asked.value);
    case PathMatch::Kind::kRegex: {
      std::string ignored;
      const auto regex = compile_regex(asked.value, ignored);
      return regex != nullptr && re2::RE2::FullMatch(path, *regex);
    }
  }
  return false;
}

bool is_path(const std::string& path) {
  Arena arena;
  if (!path.starts_with('/')) return false;
  const auto normal = http::normalize_path(path, {}, arena);
  return normal && *normal == path;
}

bool method_holds(const std::vector<std::string>& asked, const std::string& method) {
  if (asked.empty()) return true;
  return std::ranges::any_of(asked,
                             [&](const auto& each) { return each == method || (method == "HEAD" && each == "GET"); });
}

bool client_holds(const std::vector<IpNetwork>& asked, const IpAddress& client) {
  return asked.empty() || std::ranges::any_of(asked, [&](const IpNetwork& n) { return n.contains(client); });
}

template <typename T, typename V>
bool is_in(const Asked<T>& asked, const V& value, bool (*holds)(const T&, const V&)) {
  return std::ranges::all_of(asked.all_hold, [&](const T* each) { return holds(*each, value); }) &&
         std::ranges::none_of(asked.none_holds, [&](const T* each) { return holds(*each, value); });
}

// The address after the last one of a network, all zeros after the very last.
IpAddress after(const IpNetwork& network) {
  IpAddress end = network.address;
  for (std::size_t bit = network.prefix; bit < 128; ++bit)
    end.bytes[bit / 8] = static_cast<std::uint8_t>(end.bytes[bit / 8] | 0x80U >> bit % 8);
  for (std::size_t i = 16; i-- > 0;) {
    if (++end.bytes[i] != 0) break;
  }
  return end;
}

IpAddress first_of(const IpNetwork& network) {
  IpAddress first = network.address;
  for (std::size_t bit = network.prefix; bit < 128; ++bit)
    first.bytes[bit / 8] = static_cast<std::uint8_t>(first.bytes[bit / 8] & ~(0x80U >> bit % 8));
  return first;
}

// What every path of the region begins with; nothing where no path can begin with all of it.
std::optional<std::string> common_prefix(const Asked<PathMatch>& asked) {
  std::string longest;
  for (const PathMatch* each : asked.all_hold) {
    std::string own;
    if (each->kind == PathMatch::Kind::kPrefix) own = each->value;
    if (each->kind == PathMatch::Kind::kRegex) own = literal_prefix(each->value).text;
    if (!(own.size() > longest.size() ? own.starts_with(longest) : longest.starts_with(own))) return std::nullopt;
    if (own.size() > longest.size()) longest = std::move(own);
  }
  return longest;
}

bool excludes_all_below(const Asked<PathMatch>& asked, const std::string& prefix) {
  return std::ranges::any_of(asked.none_holds, [&](const PathMatch* each) {
    return each->kind == PathMatch::Kind::kAny ||
           (each->kind == PathMatch::Kind::kPrefix && prefix.starts_with(each->value));
  });
}

// Paths below `prefix` that are likely enough.
std::vector<std::string> paths_below(const Asked<PathMatch>& asked, const std::string& base) {
  std::vector<std::string> paths;
  for (const PathMatch* each : asked.all_hold) {
    if (each->kind == PathMatch::Kind::kRegex)
      std::ranges::move(guess_examples(each->value), std::back_inserter(paths));
  }
  for (const char c : std::string_view("xyzabcdefghijklmnopqrstuvw0123456789-_~ABCDEFGHIJKLMNOPQRSTUVWXYZ")) {
    paths.push_back(base + c);
  }
  for (std::size_t i = 1; i <= kFreshMax && i <= asked.none_holds.size() + 1; ++i)
    paths.push_back(base + std::to_string(i) + "x");
  return paths;
}

}  // namespace

Found find_host(const Asked<std::string>& asked, std::string& out) {
  std::string suffix;  // of the longest wildcard, with its dot
  for (const std::string* each : asked.all_hold) {
    if (each->empty()) continue;
    if (!is_wildcard(*each)) {
      out = *each;
      if (!is_in(asked, out, host_holds)) return Found::kNone;
      return is_host(out) ? Found::kExample : Found::kUnknown;
    }
    const std::string own = each->substr(1);
    if (!(own.size() > suffix.size() ? own.ends_with(suffix) : suffix.ends_with(own))) return Found::kNone;
    if (own.size() > suffix.size()) suffix = own;
  }
  const bool is_all_excluded = std::ranges::any_of(asked.none_holds, [&](const std::string* each) {
    return each->empty() || (is_wildcard(*each) && suffix.ends_with(each->substr(1)));
  });
  if (is_all_excluded) return Found::kNone;
  // No rule names all of these.
  const std::string_view first = suffix.empty() ? "any.example" : "www";
  for (std::size_t i = 0; i <= asked.none_holds.size() + 1; ++i) {
    out = (i == 0 ? std::string(first) : "host" + std::to_string(i)) + suffix;
    if (is_in(asked, out, host_holds)) return is_host(out) ? Found::kExample : Found::kUnknown;
  }
  return Found::kUnknown;
}

Found find_path(const Asked<PathMatch>& asked, std::string& out) {
  for (const PathMatch* each : asked.all_hold) {
    if (std::ranges::find_if(asked.none_holds, [&](const PathMatch* other) { return *other == *each; }) !=
        asked.none_holds.end())
      return Found::kNone;
  }
  for (const PathMatch* each : asked.all_hold) {
    if (each->kind != PathMatch::Kind::kExact) continue;
    out = each->value;
    if (!is_in(asked, out, path_holds)) return Found::kNone;
    return is_path(out) ? Found::kExample : Found::kUnknown;
  }
  const auto prefix = common_prefix(asked);
  if (!prefix) return Found::kNone;
  // All paths begin so.
  out = prefix->empty() ? "/" : *prefix;
  if (excludes_all_below(asked, out)) return Found::kNone;
  if (is_path(out) && is_in(asked, out, path_holds)) return Found::kExample;
  for (std::string& path : paths_below(asked, out)) {
    if (!is_path(path) || !is_in(asked, path, path_holds)) continue;
    out = std::move(path);
    return Found::kExample;
  }
  return Found::kUnknown;
}

Found find_method(const Asked<std::vector<std::string>>& asked, std::string& out) {
  out = asked.all_hold.empty() || asked.all_hold.front()->empty() ? "GET" : asked.all_hold.front()->front();
  if (is_in(asked, out, method_holds)) return Found::kExample;
  // Rules tell no other methods apart than those they name.
  std::vector<std::string> all{"GET", "POST", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "OTHER"};
  for (const auto& lists : {asked.all_hold, asked.none_holds}) {
    for (const auto* list : lists) all.insert(all.end(), list->begin(), list->end());
  }
  while (std::ranges::count(all, all[7]) > 1) all[7] += "S";
  for (std::string& method : all) {
    if (!is_in(asked, method, method_holds)) continue;
    out = std::move(method);
    return Found::kExample;
  }
  return Found::kNone;
}

Found find_client(const Asked<std::vector<IpNetwork>>& asked, IpAddress& out) {
  // The least address of what is left is the first one of a network, or the one after another network's last.
  static const IpAddress kSomebody = *IpAddress::parse("192.0.2.1");
  out = kSomebody;
  if (is_in(asked, out, client_holds)) return Found::kExample;
  std::vector<IpAddress> all{IpAddress{}};
  for (const auto& lists : {asked.all_hold, asked.none_holds}) {
    for (const auto* list : lists) {
      for (const IpNetwork& network : *list) {
        all.push_back(first_of(network));
        all.push_back(after(network));
      }
    }
  }
  for (const IpAddress& address : all) {
    if (!is_in(asked, address, client_holds)) continue;
    out = address;
    return Found::kExample;
  }
  return Found::kNone;
}

Found find_sample(const Region& region, Sample& out) {
  std::vector<Found> all{find_host(region.host, out.host), find_path(region.path, out.path),
                         find_method(region.methods, out.method), find_client(region.client, out.client)};
  for (const auto& [key, asked] : region.values) {
    const auto& [part, name] = key;
    std::optional<std::string> value;
    all.push_back(find_value(part, asked, value));
    if (!value) continue;
    const auto is_secret = [](const ValueMatch* each) { return each->is_secret; };
    out.has_secret = out.has_secret || std::ranges::any_of(asked.all_hold, is_secret);
    auto& pairs = part == Region::Part::kHeader ? out.headers : part == Region::Part::kQuery ? out.query : out.cookies;
    // Written as the rule has it.
    const auto& named = !asked.all_hold.empty() ? asked.all_hold.front()->name : asked.none_holds.front()->name;
    pairs.emplace_back(named, *value);
  }
  if (std::ranges::find(all, Found::kNone) != all.end()) return Found::kNone;
  return std::ranges::find(all, Found::kUnknown) != all.end() ? Found::kUnknown : Found::kExample;
}

}  // namespace rproxy::route
