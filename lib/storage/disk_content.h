// The content of an answer on the disk, open: it can be read to its end whatever becomes of the file. For sendfile() as well as for
// DiskStore::read().
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>

#include "storage/disk_file.h"
#include "storage/disk_layout.h"

namespace rproxy::storage {

// Any thread.
class DiskContent {
 public:
  DiskContent(DiskName name, Fd file, const DiskHeader& header, bool is_verified)
      : name_(name), file_(std::move(file)), header_(header), is_verified_(is_verified) {}

  int descriptor() const { return file_.get(); }
  std::uint64_t offset() const { return header_.content_offset(); }  // in the file
  std::uint64_t size() const { return header_.content_size; }
  std::uint64_t checksum() const { return header_.content_sum; }
  // Since the store was opened it was written, or read from end to end and found whole. Where it was not, read() is to be preferred: it
  // withholds the end of what turns out to be damaged.
  bool is_verified() const { return is_verified_.load(std::memory_order_acquire); }

  // At most `size` bytes from `position` of the content on. Who reads it from its beginning without gaps has the checksum looked at before
  // he is given the end; kBadFraming where it is another.
  Result<std::string> read(const DiskSystem& system, std::uint64_t position, std::size_t size);

  const DiskName& name() const { return name_; }
  const Fd& file() const { return file_; }

 private:
  Result<void> sum_up(std::uint64_t position, std::string_view bytes);

  const DiskName name_;
  const Fd file_;
  const DiskHeader header_;
  std::atomic<bool> is_verified_;
  std::mutex mutex_;
  ContentSum sum_;
  std::uint64_t summed_ = 0;
};

}  // namespace rproxy::storage
