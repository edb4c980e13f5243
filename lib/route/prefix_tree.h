// Path prefixes as a radix tree: one walk finds the longest that fits, and each knows the next shorter one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace rproxy::route {

class PrefixTree {
 public:
  static constexpr std::uint32_t kNone = ~std::uint32_t{0};

  PrefixTree() = default;
  // Distinct prefixes, each with the value it stands for.
  explicit PrefixTree(std::vector<std::pair<std::string, std::uint32_t>> prefixes);

  // The longest stored prefix of `path`, or kNone; go on with shorter() until kNone.
  std::uint32_t longest(std::string_view path) const;
  std::uint32_t shorter(std::uint32_t node) const { return nodes_[node].shorter; }
  std::uint32_t value(std::uint32_t node) const { return nodes_[node].value; }

 private:
  struct Node {
    std::string label;
    std::vector<std::pair<char, std::uint32_t>> children;  // sorted by first character
    std::uint32_t value = kNone;
    std::uint32_t shorter = kNone;  // the next node up that has a value
  };
  using Entries = std::vector<std::pair<std::string, std::uint32_t>>;

  std::uint32_t build(const Entries& sorted, std::size_t begin, std::size_t end, std::size_t depth,
                      std::uint32_t above);
  std::uint32_t child(const Node& node, char first) const;

  std::vector<Node> nodes_;
};

}  // namespace rproxy::route
