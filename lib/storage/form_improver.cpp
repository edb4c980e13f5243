#include "storage/form_improver.h"

#include <sys/resource.h>
#include <unistd.h>

#include <utility>

namespace rproxy::storage {
namespace {

using http::Coding;

// The slowest levels take seconds for a megabyte.
constexpr std::uint64_t kLarge = 1024 * 1024;
constexpr int kNiceness = 19;

int best_level(Coding coding, std::uint64_t size) {
  const auto levels = codec::levels_of(coding);
  if (size <= kLarge || coding == Coding::kGzip || coding == Coding::kDeflate) return levels.max;
  return coding == Coding::kBrotli ? 9 : 12;
}

}  // namespace

FormImprover::~FormImprover() {
  {
    const std::lock_guard lock(mutex_);
    is_over_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void FormImprover::improve(cache::EntryPtr entry, const cache::CodedForm& form) {
  codec::EncoderOptions options = form.options();
  options.size_hint = entry->content()->size();
  options.level = best_level(options.coding, *options.size_hint);
  if (form.level() >= *options.level) return;
  const std::lock_guard lock(mutex_);
  if (waiting_.size() >= kWaitingMax) return;
  waiting_.push_back({std::move(entry), std::move(options)});
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_one();
}

void FormImprover::run() {
  // Of this thread alone.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNiceness);
  for (;;) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return is_over_ || !waiting_.empty(); });
    if (is_over_) return;
    const Task task = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work_on(task);
  }
}

void FormImprover::work_on(const Task& task) {
  const auto& content = task.entry->content();
  if (!content->is_complete() || content->leans_on_file()) return;
  auto form = std::make_shared<cache::CodedForm>(content, task.options);
  while (form->code_on().has_gone_on) {
    if (is_over_) return;
  }
  if (!form->content()->is_complete()) return;
  content->forms().replace(std::move(form));
  listener_.on_improved(*task.entry);
}

}  // namespace rproxy::storage
