// What is to be removed, or to be validated before it is used again.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "cache/entry.h"

namespace rproxy::cache {

struct Purge {
  enum class Kind : std::uint8_t {
    kUrl,     // "https://shop.com/a?b", all variants of it
    kPrefix,  // of a URL: "https://shop.com/images/"
    kTag,     // of Surrogate-Key or Cache-Tag
    kGroup,   // of Cache-Groups, of one origin: "https://shop.com" and a name behind a space
    kAll,
  };
  Kind kind = Kind::kAll;
  std::string what;
  bool is_soft = false;  // it counts as stale

  bool matches(const Meta& meta) const;
};
std::string_view to_string(Purge::Kind kind);  // "url"

// "https://shop.com" of a URL.
std::string_view origin_of(std::string_view url);

}  // namespace rproxy::cache
