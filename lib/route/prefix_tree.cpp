#include "route/prefix_tree.h"

#include <algorithm>

namespace rproxy::route {

PrefixTree::PrefixTree(Entries prefixes) {
  if (prefixes.empty()) return;
  std::ranges::sort(prefixes);
  build(prefixes, 0, prefixes.size(), 0, kNone);
}

// The subtree of [begin, end), which agree in their first `depth` characters.
std::uint32_t PrefixTree::build(const Entries& sorted, std::size_t begin, std::size_t end, std::size_t depth,
                                std::uint32_t above) {
  const std::string& first = sorted[begin].first;
  const std::string& last = sorted[end - 1].first;
  std::size_t common = depth;
  while (common < first.size() && common < last.size() && first[common] == last[common]) ++common;
  const auto index = static_cast<std::uint32_t>(nodes_.size());
  nodes_.push_back({first.substr(depth, common - depth), {}, kNone, above});
  if (first.size() == common) {
    nodes_[index].value = sorted[begin].second;
    above = index;
    ++begin;
  }
  while (begin < end) {
    const char branch = sorted[begin].first[common];
    std::size_t next = begin;
    while (next < end && sorted[next].first[common] == branch) ++next;
    const std::uint32_t made = build(sorted, begin, next, common, above);
    nodes_[index].children.emplace_back(branch, made);
    begin = next;
  }
  return index;
}

std::uint32_t PrefixTree::child(const Node& node, char first) const {
  const auto found = std::ranges::lower_bound(node.children, first, {}, &std::pair<char, std::uint32_t>::first);
  return found != node.children.end() && found->first == first ? found->second : kNone;
}

std::uint32_t PrefixTree::longest(std::string_view path) const {
  std::uint32_t best = kNone;
  if (nodes_.empty()) return best;
  for (std::uint32_t at = 0; at != kNone;) {
    const Node& node = nodes_[at];
    if (!path.starts_with(node.label)) break;
    path.remove_prefix(node.label.size());
    if (node.value != kNone) best = at;
    if (path.empty()) break;
    at = child(node, path.front());
  }
  return best;
}

}  // namespace rproxy::route
