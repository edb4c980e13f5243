#include "storage/disk_health.h"

#include "base/log.h"

namespace rproxy::storage {

// At the end of a pause one failure begins the next.
bool DiskHealth::may_write() const {
  if (in_row_.load(std::memory_order_relaxed) < kFailuresInRow) return true;
  const std::lock_guard lock(mutex_);
  return system_.now() >= pause_end_;
}

void DiskHealth::has_written() {
  counts_.writes.fetch_add(1, std::memory_order_relaxed);
  in_row_.store(0, std::memory_order_relaxed);
}

void DiskHealth::has_failed_to_write(const Error& error) {
  counts_.write_failures.fetch_add(1, std::memory_order_relaxed);
  if (in_row_.fetch_add(1, std::memory_order_relaxed) + 1 >= kFailuresInRow) {
    const std::lock_guard lock(mutex_);
    pause_end_ = system_.now() + kPause;
  }
  log("can't write", error);
}

void DiskHealth::has_failed_to_read(const Error& error) {
  counts_.read_failures.fetch_add(1, std::memory_order_relaxed);
  log("can't read", error);
}

void DiskHealth::has_found_damage(const std::string& path, const Error& error) {
  counts_.damaged.fetch_add(1, std::memory_order_relaxed);
  Error named = error;
  named.context = path;
  log("removed a damaged file", named);
}

void DiskHealth::log(const char* what, const Error& error) {
  std::uint64_t unlogged = 0;
  {
    const std::lock_guard lock(mutex_);
    const TimePoint now = system_.now();
    if (logged_at_ && now - *logged_at_ < kLogEach) {
      ++unlogged_;
      return;
    }
    logged_at_ = now;
    unlogged = std::exchange(unlogged_, 0);
  }
  log::warn("cache on disk: {}: {} ({} such lines left out)", what, describe(error), unlogged);
}

}  // namespace rproxy::storage
