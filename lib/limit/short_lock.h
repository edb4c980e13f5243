// A lock in four bytes for what takes some nanoseconds: std::mutex takes 40, which would be a third of what it guards
// here.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace rproxy::limit {

// BasicLockable. Who waits spins, and lets others run if that takes long: the holder may have been put off.
class ShortLock {
 public:
  ShortLock() = default;
  ShortLock(const ShortLock&) = delete;
  ShortLock& operator=(const ShortLock&) = delete;

  void lock() {
    while (is_held_.exchange(1, std::memory_order_acquire) != 0) wait();
  }
  void unlock() { is_held_.store(0, std::memory_order_release); }

 private:
  void wait() const {
    for (int i = 0; is_held_.load(std::memory_order_relaxed) != 0; ++i) {
      if (i >= kSpins) std::this_thread::yield();
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  }

  static constexpr int kSpins = 100;  // some microseconds: far more than any holder takes that runs
  std::atomic<std::uint32_t> is_held_{0};
};

}  // namespace rproxy::limit
