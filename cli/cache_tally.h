// How many, and how large, by a name: of millions of rows in bounded memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace rproxy::cli {

struct CacheCount {
  std::uint64_t objects = 0;
  std::uint64_t bytes = 0;
  void add(std::uint64_t size) {
    ++objects;
    bytes += size;
  }
};

class CacheTally {
 public:
  // Names beyond so many are counted together.
  static constexpr std::size_t kNamesMax = 20'000;

  void add(std::string_view name, std::uint64_t bytes);

  struct Line {
    std::string name;  // empty: all others
    CacheCount count;
  };
  // The largest first, at most `most` of them; then all others, where there are any.
  std::vector<Line> largest(std::size_t most) const;

 private:
  std::unordered_map<std::string, CacheCount> counts_;
  CacheCount other_;
};

}  // namespace rproxy::cli
