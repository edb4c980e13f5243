// A file as it is written, under a name of its own until it is whole. Gone with this unless it was put into its place.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "storage/disk_file.h"
#include "storage/disk_layout.h"

namespace rproxy::storage {

class DiskDraft {
 public:
  // `encoded`: of `meta`, whose size says where the content begins.
  static Result<DiskDraft> create(const DiskSystem& system, const DiskLayout& layout, const Meta& meta,
                                  std::string encoded);
  DiskDraft(DiskDraft&& other) noexcept = default;
  DiskDraft& operator=(DiskDraft&&) = delete;
  ~DiskDraft();

  std::uint64_t content_size() const { return content_size_; }
  std::uint64_t content_offset() const { return kDiskHeaderSize + encoded_.size(); }
  // Stays open as long as somebody has it, whatever becomes of the draft.
  const std::shared_ptr<const Fd>& file() const { return file_; }

  Result<void> append(std::string_view bytes);
  // The content of another file, whose checksums go on with it: what was damaged there is so here.
  Result<void> copy(const Fd& from, const DiskHeader& header);
  // Before it the head is written. It is whole under that name, or it is not there.
  Result<DiskHeader> place(const std::string& path);

 private:
  DiskDraft(const DiskSystem& system, const DiskLayout& layout, const Meta& meta, std::string encoded)
      : system_(&system), meta_(&meta), encoded_(std::move(encoded)), path_(fresh_path(layout)) {}
  Result<void> finish_content();
  static std::string fresh_path(const DiskLayout& layout);
  std::uint64_t end() const { return content_offset() + content_size_; }

  const DiskSystem* system_;
  const Meta* meta_;
  std::string encoded_;
  struct Path : std::string {  // empty once it has moved
    explicit Path(std::string text) : std::string(std::move(text)) {}
    Path(Path&& other) noexcept : std::string(std::exchange(static_cast<std::string&>(other), {})) {}
  };
  Path path_;
  std::shared_ptr<const Fd> file_;
  BlockSums sums_;
  std::uint64_t content_size_ = 0;
  std::uint64_t content_sum_ = 0;
  bool is_copied_ = false;
};

}  // namespace rproxy::storage
