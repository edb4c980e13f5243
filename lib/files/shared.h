// What all that serves files has in common in one process: the threads that wait for disks, and how many files may be held open.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/disk_threads.h"

namespace rproxy::files {

class Shared {
 public:
  // Of the descriptors that this process may have: connections need the most.
  static constexpr std::uint64_t held_of(std::uint64_t descriptors) { return descriptors / 8; }

  // `held_max`: files that are held open between requests.
  explicit Shared(std::uint64_t held_max)
      : may_hold_(static_cast<std::int64_t>(held_max)), threads_(kThreads, kWaitingMax) {}

  DiskThreads& threads() { return threads_; }

  // Whether so many more may be held; they are to be given back.
  bool hold(std::size_t count) {
    const auto wanted = static_cast<std::int64_t>(count);
    if (may_hold_.fetch_sub(wanted, std::memory_order_relaxed) >= wanted) return true;
    let_go(count);
    return false;
  }
  void let_go(std::size_t count) { may_hold_.fetch_add(static_cast<std::int64_t>(count), std::memory_order_relaxed); }

 private:
  static constexpr std::size_t kThreads = 8;
  static constexpr std::size_t kWaitingMax = 4096;  // look-ups and reads; more are refused

  std::atomic<std::int64_t> may_hold_;
  DiskThreads threads_;
};

}  // namespace rproxy::files
