// One stored answer in one file that needs no other to be understood: a header of fixed size, the Meta, the content, and where that is larger than a
// block the checksums of its blocks. What is torn, cut,
// lengthened or flipped shows by sizes and checksums.
//
// Files are not synced: a cache may lose what it held when power fails, and what is torn then is found out by its checksums, whereas waiting for
// the disk at each store would cost more than fetching anew.
//
//   0 magic (8)           24 checksum of the content, or of what follows it (8)   48 checksum of bytes 0 to 47 and of the Meta (8)
//   8 version (4)         32 received, ms (8)              56 stale mark: not 0 (1)
//  12 size of Meta (4)    40 of no use from, ms (8)        57 zeros (7)
//  16 size of content (8)
//
// The mark is not summed: it is set in place, and one byte is written whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/fd.h"
#include "base/result.h"
#include "storage/disk_sums.h"
#include "storage/disk_system.h"
#include "storage/terms.h"

namespace rproxy::storage {

constexpr std::size_t kDiskHeaderSize = 64;

// What is known without reading the Meta.
struct DiskHeader {
  std::uint32_t meta_size = 0;
  std::uint64_t content_size = 0;
  std::uint64_t content_sum = 0;
  std::int64_t received_ms = 0;
  std::int64_t useless_ms = 0;  // neither fresh nor stale by permission from then on; to be validated perhaps
  std::uint64_t head_sum = 0;
  bool is_stale = false;

  std::uint64_t content_offset() const { return kDiskHeaderSize + meta_size; }
  std::uint64_t trailer_offset() const { return content_offset() + content_size; }
  std::uint64_t file_size() const { return trailer_offset() + trailer_size(content_size); }
};

struct DiskHead {
  DiskHeader header;
  Meta meta;
};

// Whether an error is about what is in a file, not about reading it.
inline bool is_damage(const Error& error) { return error.code != ErrorCode::kFile; }

// kTruncated or kBadFraming where the file is damaged. Of the header alone only its form and the file's size are looked at.
Result<DiskHeader> read_header(const DiskSystem& system, const Fd& file);
Result<DiskHead> read_head(const DiskSystem& system, const Fd& file);
// The checksums of the content's blocks.
Result<std::vector<std::uint64_t>> read_block_sums(const DiskSystem& system, const Fd& file, const DiskHeader& header);
// All of the content against them.
Result<void> verify_content(const DiskSystem& system, const Fd& file, const DiskHeader& header);

Result<void> mark_stale(const DiskSystem& system, const Fd& file);

// Of a file whose content is such. `encoded`: of `meta`.
DiskHeader header_of(const Meta& meta, std::string_view encoded, std::uint64_t content_size, std::uint64_t content_sum);
// What stands before the content.
std::string head_bytes(const DiskHeader& header, std::string_view encoded);

}  // namespace rproxy::storage
