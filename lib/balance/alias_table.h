// Picks by weight in constant time, however many there are (Vose's alias method).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace rproxy::balance {

class AliasTable {
 public:
  AliasTable() = default;
  // Weights that are not all 0.
  explicit AliasTable(std::span<const std::uint32_t> weights);

  // A position in the weights, by a number that is random in all its bits. Not of an empty table.
  std::size_t pick(std::uint64_t random) const {
    const Column& column = columns_[(random >> 32) * columns_.size() >> 32];
    return static_cast<std::uint32_t>(random) < column.own ? column.first : column.other;
  }

 private:
  // Each is as wide as the mean weight, and holds at most two.
  struct Column {
    std::uint64_t own = 0;  // of 2^32
    std::uint32_t first = 0;
    std::uint32_t other = 0;
  };
  std::vector<Column> columns_;
};

}  // namespace rproxy::balance
