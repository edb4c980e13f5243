#include "cache/purge.h"

#include <algorithm>

namespace rproxy::cache {

std::string_view origin_of(std::string_view url) {
  const auto begin = url.find("//");
  if (begin == std::string_view::npos) return {};
  return url.substr(0, url.find('/', begin + 2));
}

bool Purge::matches(const Meta& meta) const {
  switch (kind) {
    case Kind::kUrl:
      return meta.url() == what;
    case Kind::kPrefix:
      return meta.url().starts_with(what);
    case Kind::kTag:
      return std::ranges::find(meta.tags, what) != meta.tags.end();
    case Kind::kGroup: {
      const auto space = std::min(what.find(' '), what.size());
      const std::string_view text = what;
      if (origin_of(meta.url()) != text.substr(0, space)) return false;
      return std::ranges::find(meta.groups, text.substr(std::min(space + 1, text.size()))) != meta.groups.end();
    }
    case Kind::kAll:
      return true;
  }
  return false;
}

std::string_view to_string(Purge::Kind kind) {
  switch (kind) {
    case Purge::Kind::kUrl:
      return "url";
    case Purge::Kind::kPrefix:
      return "prefix";
    case Purge::Kind::kTag:
      return "tag";
    case Purge::Kind::kGroup:
      return "group";
    case Purge::Kind::kAll:
      break;
  }
  return "all";
}

}  // namespace rproxy::cache
