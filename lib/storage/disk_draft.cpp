#include "storage/disk_draft.h"

#include <fmt/format.h>

#include <atomic>
#include <cerrno>

namespace rproxy::storage {

std::string DiskDraft::fresh_path(const DiskLayout& layout) {
  static std::atomic<std::uint64_t> count{0};
  return fmt::format("{}/{}", layout.drafts(), count.fetch_add(1));
}

Result<DiskDraft> DiskDraft::create(const DiskSystem& system, const DiskLayout& layout, const Meta& meta,
                                    std::string encoded) {
  DiskDraft draft(system, layout, meta, std::move(encoded));
  auto file = system.create(draft.path_);
  if (!file) {
    draft.path_.clear();
    return fail(file.error());
  }
  draft.file_ = std::make_shared<const Fd>(std::move(*file));
  return draft;
}

DiskDraft::~DiskDraft() {
  if (!path_.empty()) (void)system_->remove(path_);
}

Result<void> DiskDraft::append(std::string_view bytes) {
  auto written = system_->write(*file_, end(), bytes);
  if (!written) return written;
  sums_.add(bytes);
  content_size_ += bytes.size();
  return {};
}

Result<void> DiskDraft::copy(const Fd& from, const DiskHeader& header) {
  const std::uint64_t size = header.content_size + trailer_size(header.content_size);
  auto copied = system_->copy(from, header.content_offset(), *file_, end(), size);
  if (!copied) return copied;
  content_size_ = header.content_size;
  content_sum_ = header.content_sum;
  is_copied_ = true;
  return {};
}

Result<void> DiskDraft::finish_content() {
  const std::string trailer = sums_.finish();
  content_sum_ = sums_.value();
  return trailer.empty() ? Result<void>() : system_->write(*file_, end(), trailer);
}

Result<DiskHeader> DiskDraft::place(const std::string& path) {
  if (!is_copied_) {
    if (auto written = finish_content(); !written) return fail(written.error());
  }
  const DiskHeader header = header_of(*meta_, encoded_, content_size_, content_sum_);
  if (auto written = system_->write(*file_, 0, head_bytes(header, encoded_)); !written) return fail(written.error());
  auto renamed = system_->rename(path_, path);
  // Directories are made when the first file goes there.
  if (!renamed && renamed.error().os_error == ENOENT) {
    auto made = system_->make_directories(path.substr(0, path.rfind('/')));
    if (!made) return fail(made.error());
    renamed = system_->rename(path_, path);
  }
  if (!renamed) return fail(renamed.error());
  path_.clear();
  return header;
}

}  // namespace rproxy::storage
