// Which stored answers are meant, as tools and operators say it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cache/entry.h"

namespace rproxy::cache {

// What is left out holds for all.
struct Filter {
  std::string host;  // with its port, where that is another than the scheme's own
  std::string path;  // with '*' for anything: "/images/*.png"
  std::optional<std::uint16_t> status;
  std::string type;  // of content, with '*': "image/*"
  std::string tag;
  std::optional<bool> is_fresh;
  std::uint64_t size_min = 0;
  std::int64_t age_min = 0;  // seconds

  bool holds(const Meta& meta, std::uint64_t size, bool is_marked_stale, std::int64_t now_ms) const;
};

// '*' is any text; all else is itself.
bool matches_glob(std::string_view pattern, std::string_view text);

std::string_view host_of(std::string_view url);
std::string_view path_of(std::string_view url);  // without the query
std::string_view content_type_of(const Meta& meta);

}  // namespace rproxy::cache
