// The number line in ranges, and which of them a number is in: a binary search that an index of the leading bits has
// narrowed.
#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace rproxy::limit {

// Two words as one number.
struct Wide {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const Wide&) const = default;
};

constexpr std::uint64_t leading_bits(std::uint32_t word) { return std::uint64_t{word} << 32; }
constexpr std::uint64_t leading_bits(const Wide& word) { return word.high; }

// Immutable once it is indexed.
template <typename Word>
class RangeTable {
 public:
  // What begins there has that value, up to where the next begins. The first begins at 0, and each behind the one
  // before, or in its place.
  void append(Word begin, std::uint32_t value) {
    if (!ranges_.empty() && ranges_.back().begin == begin) ranges_.pop_back();
    if (ranges_.empty() || ranges_.back().value != value) ranges_.push_back({begin, value});
  }
  // After the last append.
  void make_index();

  // Not of an empty table.
  std::uint32_t find(Word word) const {
    const std::size_t part = part_of(word);
    // The last that begins at `word` or before it: no earlier than the one the part begins in, no later than the last
    // one in it.
    const Range* at = ranges_.data() + index_[part];
    for (std::size_t left = index_[part + 1] - index_[part] + 1; left > 1;) {
      const std::size_t half = left / 2;
      at = at[half].begin <= word ? at + half : at;
      left -= half;
    }
    return at->value;
  }

  std::size_t size() const { return ranges_.size(); }
  std::size_t bytes() const { return ranges_.capacity() * sizeof(Range) + index_.capacity() * sizeof(std::uint32_t); }

 private:
  struct Range {
    Word begin;
    std::uint32_t value;
  };
  static constexpr int kIndexBitsMax = 16;

  std::size_t part_of(const Word& word) const {
    const std::uint64_t bits = leading_bits(word);
    if (bits < base_) return 0;
    return std::min(static_cast<std::size_t>((bits - base_) >> shift_), index_.size() - 2);
  }

  std::vector<Range> ranges_;
  std::vector<std::uint32_t> index_;  // of each part, the range that it begins in; and the last range
  std::uint64_t base_ = 0;            // leading bits of the second range: what is before is one part with what follows
  int shift_ = 63;
};

template <typename Word>
void RangeTable<Word>::make_index() {
  ranges_.shrink_to_fit();
  base_ = ranges_.size() > 1 ? leading_bits(ranges_[1].begin) : 0;
  const std::uint64_t span = leading_bits(ranges_.back().begin) - base_;
  const int bits = std::min(kIndexBitsMax, static_cast<int>(std::bit_width(ranges_.size())));
  // Parts as narrow as so many allow: addresses in use are a small part of all there are.
  shift_ = std::max(0, static_cast<int>(std::bit_width(span)) - bits);
  index_.assign(static_cast<std::size_t>(span >> shift_) + 2, 0);
  for (std::size_t i = 0, part = 0; part + 1 < index_.size(); ++part) {
    const std::uint64_t begins = base_ + (static_cast<std::uint64_t>(part) << shift_);
    while (i + 1 < ranges_.size() && leading_bits(ranges_[i + 1].begin) < begins) ++i;
    index_[part] = part == 0 ? 0 : static_cast<std::uint32_t>(i);
  }
  index_.back() = static_cast<std::uint32_t>(ranges_.size() - 1);
}

}  // namespace rproxy::limit
