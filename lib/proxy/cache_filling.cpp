#include "proxy/cache_filling.h"

#include <algorithm>
#include <string>
#include <utility>

namespace rproxy::proxy {
namespace {

// What is in memory of content that passes through: what its readers may be behind, or the disk.
constexpr std::size_t kWindow = 256 * 1024;
constexpr std::size_t kSpillWindow = 4 * 1024 * 1024;

}  // namespace

CacheFilling::CacheFilling(storage::Cache& cache, cache::EntryPtr entry, std::uint64_t size_max)
    : cache_(cache),
      entry_(std::move(entry)),
      size_max_(size_max),
      memory_max_(std::min(size_max, cache.memory_object_max())) {
  begin_writing();
  const auto length = entry_->content()->length();
  is_large_ = length.value_or(0) > memory_max_ || !cache_.has_room_to_fill();
  if (is_large_ && writing_ != nullptr) outgrow();
}

CacheFilling::~CacheFilling() {
  uncount();
  if (is_over_) return;
  entry_->content()->forget_writer();
  fail(Error(ErrorCode::kCancelled, Side::kLocal));
}

// Only of what may be more than memory takes the file is of use to readers.
void CacheFilling::begin_writing() {
  storage::DiskStore* const disk = cache_.disk();
  const auto content = entry_->content();
  const auto length = content->length();
  if (disk == nullptr || length.value_or(0) > std::min(size_max_, disk->object_max())) return;
  auto on_written = [content, disk, file = std::shared_ptr<cache::FileContent>()](
                        std::uint64_t written, std::shared_ptr<storage::DiskContent> draft) mutable {
    if (draft == nullptr) return content->stop_spilling();
    if (file == nullptr) file = disk->file_of(std::move(draft));
    content->set_written(file, written);
  };
  writing_ = disk->begin(entry_->meta(), std::move(on_written));
}

void CacheFilling::append(std::string_view bytes) {
  cache::Content& content = *entry_->content();
  content.append(bytes);
  if (!is_stored_) return;
  if (content.size() > size_max_) return give_up();
  if (!is_spilling_ && content.size() > memory_max_) outgrow();
  write(bytes);
  if (is_spilling_ || !is_stored_) return;
  counted_ += static_cast<std::int64_t>(bytes.size());
  cache_.filling() += static_cast<std::int64_t>(bytes.size());
}

void CacheFilling::write(std::string_view bytes) {
  if (writing_ == nullptr || bytes.empty() || writing_->append(std::string(bytes))) return;
  writing_.reset();
  if (is_spilling_) give_up();
}

void CacheFilling::outgrow() {
  if (writing_ == nullptr) return give_up();
  is_spilling_ = true;
  uncount();
  entry_->content()->spill(kSpillWindow);
}

void CacheFilling::give_up() {
  is_stored_ = false;
  writing_.reset();
  uncount();
  cache_.memory().remove(entry_);
  entry_->content()->pass_through(kWindow);
}

void CacheFilling::uncount() { cache_.filling() -= std::exchange(counted_, 0); }

void CacheFilling::finish() {
  const auto length = entry_->content()->length();
  if (length && *length != entry_->content()->size()) return fail(Error(ErrorCode::kTruncated, Side::kUpstream));
  is_over_ = true;
  entry_->content()->finish();
  if (!is_stored_) return;
  cache_.memory().settle(entry_);
  // All that is not in memory goes where that fails, and what is costs less where not: the cache is told.
  if (writing_ != nullptr) writing_->commit();
}

void CacheFilling::fail(Error error) {
  is_over_ = true;
  writing_.reset();
  if (std::exchange(is_stored_, false)) cache_.memory().remove(entry_);
  entry_->content()->fail(std::move(error));
}

}  // namespace rproxy::proxy
