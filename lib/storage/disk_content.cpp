#include "storage/disk_content.h"

#include <algorithm>

namespace rproxy::storage {

Result<std::string> DiskContent::read(const DiskSystem& system, std::uint64_t position, std::size_t size) {
  if (position >= this->size()) return std::string();
  size = std::min<std::uint64_t>(size, this->size() - position);
  auto bytes = system.read(file_, offset() + position, size);
  if (!bytes) return bytes;
  if (bytes->size() < size) return fail(ErrorCode::kTruncated, Side::kLocal);
  if (is_verified()) return bytes;
  if (auto summed = sum_up(position, *bytes); !summed) return fail(summed.error());
  return bytes;
}

Result<void> DiskContent::sum_up(std::uint64_t position, std::string_view bytes) {
  const std::lock_guard lock(mutex_);
  if (position > summed_ || position + bytes.size() <= summed_) return {};
  bytes.remove_prefix(summed_ - position);
  sum_.add(bytes);
  summed_ += bytes.size();
  if (summed_ < size()) return {};
  if (sum_.value() != checksum()) return fail(ErrorCode::kBadFraming, Side::kLocal);
  is_verified_.store(true, std::memory_order_release);
  return {};
}

}  // namespace rproxy::storage
