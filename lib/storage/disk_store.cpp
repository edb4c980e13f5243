#include "storage/disk_store.h"

#include <algorithm>
#include <utility>

namespace rproxy::storage {
namespace {

class StoredFile final : public cache::FileContent {
 public:
  StoredFile(DiskStore& store, std::shared_ptr<DiskContent> content) : store_(store), content_(std::move(content)) {}

  int descriptor() const override { return content_->file().get(); }
  std::uint64_t offset() const override { return content_->offset(); }
  bool is_verified(std::uint64_t position, std::uint64_t size) const override {
    return content_->is_verified(position, size);
  }
  void read(std::uint64_t position, std::size_t size, OnRead done) override {
    store_.read(content_, position, size, std::move(done));
  }

 private:
  DiskStore& store_;
  const std::shared_ptr<DiskContent> content_;
};

}  // namespace

Result<std::unique_ptr<DiskStore>> DiskStore::open(const DiskOptions& options, DiskHooks hooks) {
  std::unique_ptr<DiskStore> store(new DiskStore(options, std::move(hooks)));
  if (auto opened = store->shelf_.open(); !opened) {
    Error error = opened.error();
    if (error.context.empty()) error.context = options.path;
    return fail(std::move(error));
  }
  store->threads_ = std::make_unique<DiskThreads>(options.threads, options.waiting_max);
  store->upkeep_ = std::make_unique<DiskUpkeep>(store->shelf_, *store->threads_);
  store->upkeep_->sweep();
  return store;
}

DiskStore::DiskStore(const DiskOptions& options, DiskHooks hooks)
    : shelf_(options.path, {options.bytes_max.bytes, options.files_max}, std::move(hooks)) {
  queue_.bytes_max = options.queued_max.bytes;
  queue_.answers_max = options.writings_max;
  set_limits(options);
}

void DiskStore::set_limits(const DiskOptions& options) {
  shelf_.set_limits({options.bytes_max.bytes, options.files_max});
  queue_.object_max = std::min(options.object_max.bytes, options.bytes_max.bytes);
}

DiskStore::~DiskStore() {
  if (threads_) threads_->stop();
}

bool DiskStore::may_have(const Digest& digest) const {
  return !shelf_.counts.scan_done.load(std::memory_order_acquire) || shelf_.index.contains(digest);
}

void DiskStore::find(const Digest& digest, std::string key, Fits fits, std::uint64_t load_max, OnFound done) {
  if (!may_have(digest)) {
    shelf_.counts.misses.fetch_add(1, std::memory_order_relaxed);
    return done(std::nullopt);
  }
  const bool is_posted = threads_->post([this, digest, key = std::move(key), fits = std::move(fits), load_max, done] {
    done(shelf_.find(digest, key, fits, load_max));
  });
  if (is_posted) return;
  shelf_.counts.dropped.fetch_add(1, std::memory_order_relaxed);
  done(std::nullopt);
}

void DiskStore::read(std::shared_ptr<DiskContent> content, std::uint64_t position, std::size_t size, OnRead done) {
  size = std::min(size, kReadMax);
  const bool is_posted = threads_->post(
      [this, content = std::move(content), position, size, done] { done(shelf_.read(*content, position, size)); });
  if (is_posted) return;
  shelf_.counts.dropped.fetch_add(1, std::memory_order_relaxed);
  done(fail(ErrorCode::kLimitReached, Side::kLocal, Retry::kNever, shelf_.layout.path()));
}

std::shared_ptr<cache::FileContent> DiskStore::file_of(std::shared_ptr<DiskContent> content) {
  return std::make_shared<StoredFile>(*this, std::move(content));
}

std::shared_ptr<DiskWriting> DiskStore::begin(Meta meta, DiskWriting::OnWritten on_written) {
  return DiskWriting::begin(shelf_, *threads_, queue_, std::move(meta), std::move(on_written));
}

void DiskStore::update(Meta old, Meta meta, std::function<void(bool)> done) {
  const bool is_posted = threads_->post([this, old = std::move(old), meta = std::move(meta), done] {
    const bool is_updated = shelf_.update(old, meta);
    if (done) done(is_updated);
  });
  if (is_posted) return;
  shelf_.counts.dropped.fetch_add(1, std::memory_order_relaxed);
  if (done) done(false);
}

void DiskStore::remove(const Meta& meta) {
  threads_->post_behind([this, name = DiskName::of(meta)] { shelf_.remove(name); });
}

void DiskStore::purge(const Purge& purge, std::int64_t now_ms, DiskUpkeep::Done done) {
  upkeep_->purge({now_ms, purge, false}, std::move(done));
}

void DiskStore::purge_key(const std::string& key, bool is_soft, std::int64_t now_ms, DiskUpkeep::Done done) {
  upkeep_->purge({now_ms, {Purge::Kind::kUrl, key, is_soft}, true}, std::move(done));
}

void DiskStore::verify(std::function<void(DiskVerified)> done) { upkeep_->verify(std::move(done)); }

const DiskCounts& DiskStore::counts() const {
  shelf_.counts.objects.store(shelf_.index.count(), std::memory_order_relaxed);
  shelf_.counts.bytes.store(shelf_.index.bytes(), std::memory_order_relaxed);
  return shelf_.counts;
}

}  // namespace rproxy::storage
