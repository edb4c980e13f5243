#include "storage/disk_sums.h"

#include <algorithm>

#include "cache/little_endian.h"

namespace rproxy::storage {

RunningSum::RunningSum() : state_(XXH3_createState()) { reset(); }
void RunningSum::add(std::string_view bytes) { XXH3_64bits_update(state_.get(), bytes.data(), bytes.size()); }
std::uint64_t RunningSum::value() const { return XXH3_64bits_digest(state_.get()); }
void RunningSum::reset() { XXH3_64bits_reset(state_.get()); }

std::uint64_t sum_of(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

void BlockSums::add(std::string_view bytes) {
  while (!bytes.empty()) {
    const std::size_t count = std::min(bytes.size(), kDiskBlock - in_block_);
    block_.add(bytes.substr(0, count));
    bytes.remove_prefix(count);
    in_block_ += count;
    if (in_block_ < kDiskBlock) continue;
    done_.push_back(block_.value());
    block_.reset();
    in_block_ = 0;
  }
}

std::string BlockSums::finish() {
  if (in_block_ > 0 || done_.empty()) done_.push_back(block_.value());
  std::string trailer;
  if (done_.size() == 1) {
    value_ = done_.front();
    return trailer;
  }
  for (const std::uint64_t sum : done_) cache::append_number(trailer, sum);
  value_ = sum_of(trailer);
  return trailer;
}

bool read_sums(std::uint64_t content_size, std::uint64_t content_sum, std::string_view trailer,
               std::vector<std::uint64_t>& sums) {
  sums.clear();
  if (trailer.size() != trailer_size(content_size)) return false;
  if (trailer.empty()) {
    sums.push_back(content_sum);
    return true;
  }
  if (sum_of(trailer) != content_sum) return false;
  for (std::size_t at = 0; at < trailer.size(); at += 8) {
    sums.push_back(cache::read_number<std::uint64_t>(trailer.data() + at));
  }
  return true;
}

}  // namespace rproxy::storage
