// The content of an answer on the disk, open: it can be read to its end whatever becomes of the file.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "storage/disk_file.h"
#include "storage/disk_layout.h"

namespace rproxy::storage {

// Any thread.
class DiskContent {
 public:
  DiskContent(DiskName name, Fd file, const DiskHeader& header, bool is_verified)
      : name_(name), file_(std::make_shared<const Fd>(std::move(file))), header_(header), is_verified_(is_verified) {}
  // Of a draft: it grows, and its size is not known here.
  DiskContent(DiskName name, std::shared_ptr<const Fd> draft, std::uint64_t offset)
      : name_(name), file_(std::move(draft)), header_(growing_from(offset)), is_verified_(true) {}

  std::uint64_t offset() const { return header_.content_offset(); }  // in the file
  std::uint64_t size() const { return header_.content_size; }
  // It was written by this process, or held against its checksums.
  bool is_verified() const { return is_verified_.load(std::memory_order_acquire); }
  bool is_verified(std::uint64_t position, std::uint64_t size) const;

  // At most `size` bytes from `position` of the content on. What is not verified yet is so before it is given, with the rest of its blocks;
  // kBadFraming or kTruncated where it is damaged.
  Result<std::string> read(const DiskSystem& system, std::uint64_t position, std::size_t size);

  const DiskName& name() const { return name_; }
  const Fd& file() const { return *file_; }

 private:
  static DiskHeader growing_from(std::uint64_t offset);
  Result<std::string> read_blocks(const DiskSystem& system, std::uint64_t first, std::uint64_t last);
  Result<void> load_sums(const DiskSystem& system);

  const DiskName name_;
  const std::shared_ptr<const Fd> file_;
  const DiskHeader header_;
  std::atomic<bool> is_verified_;
  mutable std::mutex mutex_;
  std::vector<std::uint64_t> sums_;  // of the blocks; empty: not read yet
  std::vector<bool> good_;           // which blocks are verified
  std::uint64_t left_ = 0;           // how many are not
};

}  // namespace rproxy::storage
