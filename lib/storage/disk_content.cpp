#include "storage/disk_content.h"

#include <algorithm>
#include <limits>

namespace rproxy::storage {

DiskHeader DiskContent::growing_from(std::uint64_t offset) {
  DiskHeader header;
  header.meta_size = static_cast<std::uint32_t>(offset - kDiskHeaderSize);
  header.content_size = std::numeric_limits<std::int64_t>::max();
  return header;
}

bool DiskContent::is_verified(std::uint64_t position, std::uint64_t size) const {
  if (is_verified()) return true;
  if (size == 0 || position + size > this->size()) return false;
  const std::lock_guard lock(mutex_);
  if (sums_.empty()) return false;
  for (std::uint64_t block = position / kDiskBlock; block <= (position + size - 1) / kDiskBlock; ++block) {
    if (!good_[block]) return false;
  }
  return true;
}

Result<std::string> DiskContent::read(const DiskSystem& system, std::uint64_t position, std::size_t size) {
  if (position >= this->size()) return std::string();
  size = std::min<std::uint64_t>(size, this->size() - position);
  if (is_verified(position, size)) {
    auto bytes = system.read(*file_, offset() + position, size);
    if (bytes && bytes->size() < size) return fail(ErrorCode::kTruncated, Side::kLocal);
    return bytes;
  }
  const std::uint64_t first = position / kDiskBlock;
  auto blocks = read_blocks(system, first, blocks_of(position + size));
  if (!blocks) return blocks;
  blocks->erase(0, position - first * kDiskBlock);
  blocks->resize(size);
  return blocks;
}

// From the first to before the last.
Result<std::string> DiskContent::read_blocks(const DiskSystem& system, std::uint64_t first, std::uint64_t last) {
  if (auto loaded = load_sums(system); !loaded) return fail(loaded.error());
  const std::size_t size = std::min<std::uint64_t>(last * kDiskBlock, this->size()) - first * kDiskBlock;
  auto bytes = system.read(*file_, offset() + first * kDiskBlock, size);
  if (!bytes) return bytes;
  if (bytes->size() < size) return fail(ErrorCode::kTruncated, Side::kLocal);
  for (std::uint64_t block = first; block < last; ++block) {
    const auto its = std::string_view(*bytes).substr((block - first) * kDiskBlock, kDiskBlock);
    if (sum_of(its) != sums_[block]) return fail(ErrorCode::kBadFraming, Side::kLocal);
  }
  const std::lock_guard lock(mutex_);
  for (std::uint64_t block = first; block < last; ++block) {
    if (!good_[block]) --left_;
    good_[block] = true;
  }
  if (left_ == 0) is_verified_.store(true, std::memory_order_release);
  return bytes;
}

// Once there they stay as they are.
Result<void> DiskContent::load_sums(const DiskSystem& system) {
  const std::lock_guard lock(mutex_);
  if (!sums_.empty()) return {};
  auto sums = read_block_sums(system, *file_, header_);
  if (!sums) return fail(sums.error());
  sums_ = std::move(*sums);
  good_.assign(sums_.size(), false);
  left_ = sums_.size();
  return {};
}

}  // namespace rproxy::storage
