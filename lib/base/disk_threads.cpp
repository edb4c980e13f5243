#include "base/disk_threads.h"

#include <algorithm>
#include <csignal>
#include <utility>

namespace rproxy {
namespace {

constexpr std::size_t kBehindEach = 16;

}  // namespace

DiskThreads::DiskThreads(std::size_t count, std::size_t waiting_max) : waiting_max_(waiting_max) {
  // Signals are for the threads that wait for them; a write beyond a limit of the process is an error like others.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  for (std::size_t i = 0; i < std::max<std::size_t>(count, 1); ++i) threads_.emplace_back([this] { run(); });
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

bool DiskThreads::post(Task task) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_ || waiting_.size() >= waiting_max_) return false;
  waiting_.push_back(std::move(task));
  wake_.notify_one();
  return true;
}

bool DiskThreads::post_behind(Task task) {
  const std::lock_guard lock(mutex_);
  if (is_stopping_) return false;
  behind_.push_back(std::move(task));
  wake_.notify_one();
  return true;
}

void DiskThreads::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    wake_.notify_all();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

bool DiskThreads::is_stopping() const {
  const std::lock_guard lock(mutex_);
  return is_stopping_;
}

bool DiskThreads::take(Task& task) {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return is_stopping_ || !waiting_.empty() || !behind_.empty(); });
  if (waiting_.empty() && behind_.empty()) return false;
  const bool is_turn_behind = !behind_.empty() && ++turn_ % kBehindEach == 0;
  auto& queue = waiting_.empty() || is_turn_behind ? behind_ : waiting_;
  task = std::move(queue.front());
  queue.pop_front();
  return true;
}

void DiskThreads::run() {
  for (Task task; take(task); task = nullptr) task();
}

}  // namespace rproxy
