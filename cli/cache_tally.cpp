#include "cli/cache_tally.h"

#include <algorithm>
#include <tuple>

namespace rproxy::cli {

void CacheTally::add(std::string_view name, std::uint64_t bytes) {
  const auto found = counts_.find(std::string(name));
  if (found != counts_.end()) return found->second.add(bytes);
  if (counts_.size() >= kNamesMax) return other_.add(bytes);
  counts_[std::string(name)].add(bytes);
}

std::vector<CacheTally::Line> CacheTally::largest(std::size_t most) const {
  std::vector<Line> lines;
  for (const auto& [name, count] : counts_) lines.push_back({name, count});
  std::ranges::sort(lines, [](const Line& a, const Line& b) {
    return std::tuple(b.count.bytes, b.count.objects, a.name) < std::tuple(a.count.bytes, a.count.objects, b.name);
  });
  CacheCount rest = other_;
  for (std::size_t i = most; i < lines.size(); ++i) {
    rest.objects += lines[i].count.objects;
    rest.bytes += lines[i].count.bytes;
  }
  if (lines.size() > most) lines.resize(most);
  if (rest.objects != 0) lines.push_back({{}, rest});
  return lines;
}

}  // namespace rproxy::cli
