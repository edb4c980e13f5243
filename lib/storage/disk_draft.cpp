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
  draft.file_ = std::move(*file);
  return draft;
}

DiskDraft::~DiskDraft() {
  if (!path_.empty()) (void)system_->remove(path_);
}

Result<void> DiskDraft::append(std::string_view bytes) {
  auto written = system_->write(file_, end(), bytes);
  if (!written) return written;
  sum_.add(bytes);
  content_size_ += bytes.size();
  return {};
}

Result<void> DiskDraft::copy(const Fd& from, const DiskHeader& header) {
  auto copied = system_->copy(from, header.content_offset(), file_, end(), header.content_size);
  if (!copied) return copied;
  content_size_ = header.content_size;
  content_sum_ = header.content_sum;
  is_copied_ = true;
  return {};
}

Result<DiskHeader> DiskDraft::place(const std::string& path) {
  const std::uint64_t sum = is_copied_ ? content_sum_ : sum_.value();
  const DiskHeader header = header_of(*meta_, encoded_, content_size_, sum);
  if (auto written = system_->write(file_, 0, head_bytes(header, encoded_)); !written) return fail(written.error());
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
