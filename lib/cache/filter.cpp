#include "cache/filter.h"

#include <algorithm>

#include "cache/purge.h"

namespace rproxy::cache {

bool matches_glob(std::string_view pattern, std::string_view text) {
  std::size_t at = 0;
  std::size_t in_text = 0;
  // Where the last '*' was, and from where in the text what follows it is tried.
  std::size_t star = std::string_view::npos;
  std::size_t retry = 0;
  while (in_text < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      retry = in_text;
    } else if (at < pattern.size() && pattern[at] == text[in_text]) {
      ++at;
      ++in_text;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      in_text = ++retry;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string_view::npos;
}

std::string_view host_of(std::string_view url) {
  const auto origin = origin_of(url);
  return origin.substr(std::min(origin.find("//") + 2, origin.size()));
}

std::string_view path_of(std::string_view url) {
  const auto rest = url.substr(origin_of(url).size());
  return rest.substr(0, rest.find('?'));
}

std::string_view content_type_of(const Meta& meta) {
  for (const auto& [name, value] : meta.fields) {
    if (http::equals_ignoring_case(name, "content-type")) return std::string_view(value).substr(0, value.find(';'));
  }
  return {};
}

bool Filter::holds(const Meta& meta, std::uint64_t size, bool is_marked_stale, std::int64_t now_ms) const {
  const std::int64_t age = age_of(meta, now_ms);
  const bool fresh = !is_marked_stale && age < meta.freshness.lifetime;
  return (host.empty() || http::equals_ignoring_case(host, host_of(meta.url()))) &&
         (path.empty() || matches_glob(path, path_of(meta.url()))) && (!status || *status == meta.status) &&
         (type.empty() || matches_glob(type, content_type_of(meta))) &&
         (tag.empty() || std::ranges::find(meta.tags, tag) != meta.tags.end()) && (!is_fresh || *is_fresh == fresh) &&
         size >= size_min && age >= age_min;
}

}  // namespace rproxy::cache
