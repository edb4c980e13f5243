#include "storage/disk_writing.h"

#include <utility>

#include "cache/meta_codec.h"

namespace rproxy::storage {
namespace {

// One answer may have so much of the queue to itself.
constexpr std::size_t kShare = 4;

}  // namespace

// One task at a time is on the threads, and does all there is to do.
class DiskWriting::Work : public std::enable_shared_from_this<Work> {
 public:
  Work(DiskShelf& shelf, DiskThreads& threads, DiskQueue& queue, Meta meta, std::string encoded, OnWritten on_written)
      : shelf_(shelf),
        threads_(threads),
        queue_(queue),
        meta_(std::move(meta)),
        name_(DiskName::of(meta_)),
        encoded_(std::move(encoded)),
        on_written_(std::move(on_written)),
        size_(kDiskHeaderSize + encoded_.size()),
        watch_(shelf.purges, meta_) {
    queue_.answers.fetch_add(1);
  }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  ~Work() {
    queue_.bytes.fetch_sub(waiting_bytes_);
    queue_.answers.fetch_sub(1);
  }

  bool append(std::string bytes) {
    const std::lock_guard lock(mutex_);
    if (state_ != State::kOpen) return false;
    size_ += bytes.size();
    const bool is_too_much = size_ > queue_.object_max || waiting_bytes_ + bytes.size() > queue_.bytes_max / kShare ||
                             queue_.bytes.load() + bytes.size() > queue_.bytes_max;
    if (is_too_much || watch_.purged() == Purged::kGone) {
      drop();
      return false;
    }
    waiting_bytes_ += bytes.size();
    queue_.bytes.fetch_add(bytes.size());
    waiting_.push_back(std::move(bytes));
    return schedule();
  }

  void commit(Done done) {
    {
      const std::lock_guard lock(mutex_);
      if (state_ == State::kOpen) {
        state_ = State::kCommitted;
        done_ = std::move(done);
        if (schedule()) return;
        done = std::exchange(done_, {});
      }
    }
    shelf_.tell_removed(name_.digest);
    if (done) done(false);
  }

  // What is on the disk goes with this, which is no work for the thread that brought it.
  void abandon() {
    const std::lock_guard lock(mutex_);
    if (state_ == State::kOpen) state_ = State::kFailed;
    if (!is_scheduled_ && draft_) threads_.post_behind([self = shared_from_this()] {});
  }

 private:
  enum class State : std::uint8_t { kOpen, kCommitted, kFailed };

  void drop() {
    state_ = State::kFailed;
    shelf_.counts.dropped.fetch_add(1, std::memory_order_relaxed);
  }

  bool schedule() {
    if (is_scheduled_) return true;
    is_scheduled_ = threads_.post([self = shared_from_this()] { self->run(); });
    if (!is_scheduled_) drop();
    return is_scheduled_;
  }

  void run() {
    std::unique_lock lock(mutex_);
    while (state_ != State::kFailed && !waiting_.empty()) {
      const std::string bytes = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      const auto written = write(bytes);
      if (!written) shelf_.health.has_failed_to_write(written.error());
      tell_written(written.has_value());
      lock.lock();
      waiting_bytes_ -= bytes.size();
      queue_.bytes.fetch_sub(bytes.size());
      if (!written) state_ = State::kFailed;
    }
    const bool is_whole = state_ == State::kCommitted;
    const bool has_failed = state_ == State::kFailed;
    is_scheduled_ = is_whole;  // until the end: nobody looks at the draft beside it
    const Done done = std::exchange(done_, {});
    lock.unlock();
    const bool is_stored = is_whole && finish();
    if (is_stored) shelf_.tell_stored(name_.digest);
    if (has_failed || (is_whole && !is_stored)) shelf_.tell_removed(name_.digest);
    if (done) done(is_stored);
  }

  Result<void> open() {
    if (draft_) return {};
    auto draft = DiskDraft::create(shelf_.system, shelf_.layout, meta_, encoded_);
    if (!draft) return fail(draft.error());
    draft_.emplace(std::move(*draft));
    return {};
  }

  void tell_written(bool is_good) {
    if (!on_written_) return;
    if (!is_good) return on_written_(0, nullptr);
    if (content_ == nullptr) {
      content_ = std::make_shared<DiskContent>(name_, draft_->file(), draft_->content_offset());
    }
    on_written_(draft_->content_size(), content_);
  }

  Result<void> write(const std::string& bytes) {
    if (auto opened = open(); !opened) return opened;
    return draft_->append(bytes);
  }

  bool finish() {
    if (auto opened = open(); !opened) {
      shelf_.health.has_failed_to_write(opened.error());
      return false;
    }
    return shelf_.place(*draft_, meta_, watch_);
  }

  DiskShelf& shelf_;
  DiskThreads& threads_;
  DiskQueue& queue_;
  const Meta meta_;
  const DiskName name_;
  const std::string encoded_;
  const OnWritten on_written_;
  std::mutex mutex_;
  State state_ = State::kOpen;
  bool is_scheduled_ = false;
  std::deque<std::string> waiting_;
  std::size_t waiting_bytes_ = 0;
  std::uint64_t size_;
  Done done_;
  const DiskPurges::Watch watch_;
  std::optional<DiskDraft> draft_;  // of the task that runs, as is what follows
  std::shared_ptr<DiskContent> content_;
};

std::shared_ptr<DiskWriting> DiskWriting::begin(DiskShelf& shelf, DiskThreads& threads, DiskQueue& queue, Meta meta,
                                                OnWritten on_written) {
  auto encoded = cache::encode(meta);
  if (!encoded || !shelf.health.may_write() || queue.answers.load() >= queue.answers_max) {
    shelf.counts.dropped.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  }
  auto work =
      std::make_shared<Work>(shelf, threads, queue, std::move(meta), std::move(*encoded), std::move(on_written));
  return std::shared_ptr<DiskWriting>(new DiskWriting(std::move(work)));
}

DiskWriting::~DiskWriting() { work_->abandon(); }

bool DiskWriting::append(std::string bytes) { return work_->append(std::move(bytes)); }

void DiskWriting::commit(Done done) { work_->commit(std::move(done)); }

}  // namespace rproxy::storage
