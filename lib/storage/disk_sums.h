// Checksums of content, block by block, so that any part of it can be vouched for without reading the rest.
#pragma once

#include <xxhash.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace rproxy::storage {

constexpr std::size_t kDiskBlock = 256 * 1024;

// How many blocks content of that size has.
constexpr std::uint64_t blocks_of(std::uint64_t size) { return (size + kDiskBlock - 1) / kDiskBlock; }
// Of what stands behind it: the sums of its blocks, where they are more than one.
constexpr std::uint64_t trailer_size(std::uint64_t size) { return blocks_of(size) > 1 ? blocks_of(size) * 8 : 0; }

// XXH3-64 of bytes as they come.
class RunningSum {
 public:
  RunningSum();
  void add(std::string_view bytes);
  std::uint64_t value() const;
  void reset();

 private:
  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
};
std::uint64_t sum_of(std::string_view bytes);

// Of content as it comes.
class BlockSums {
 public:
  void add(std::string_view bytes);
  // The end of the content. What goes behind it.
  std::string finish();
  // Of the trailer, or of the one block, that there is after finish(): what the header has of the content.
  std::uint64_t value() const { return value_; }

 private:
  RunningSum block_;
  std::size_t in_block_ = 0;
  std::vector<std::uint64_t> done_;
  std::uint64_t value_ = 0;
};

// The sums that a trailer has; of one block, which has none, the header's. Nothing: the trailer is not what the header says.
bool read_sums(std::uint64_t content_size, std::uint64_t content_sum, std::string_view trailer,
               std::vector<std::uint64_t>& sums);

}  // namespace rproxy::storage
