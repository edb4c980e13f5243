// A lock in four bytes for what takes some nanoseconds: std::mutex takes 40, which would be a third of what it guards
// here. It counts how often it was held, so that what it guards can be read without it, and whether it was changed
// meanwhile is known afterwards.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace rproxy::limit {

// BasicLockable. Who waits spins, and lets others run if that takes long: the holder may have been put off.
class ShortLock {
 public:
  // As of a moment. The same one comes again after two thousand million changes, which a reader would have to sleep
  // through to the one.
  using Version = std::uint32_t;

  ShortLock() = default;
  ShortLock(const ShortLock&) = delete;
  ShortLock& operator=(const ShortLock&) = delete;

  void lock() {
    while (!try_lock_at(version_.load(std::memory_order_relaxed))) wait();
  }
  void unlock() { version_.store(version_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  // To read without the lock: the version, then atomics with memory_order_acquire, then whether it still is that
  // version. Who has the lock writes them with memory_order_release: who reads what was written sees the version that
  // was before it, which is another.
  Version version() const { return version_.load(std::memory_order_acquire); }
  bool is_still(Version version) const {
    return !is_held(version) && version_.load(std::memory_order_relaxed) == version;
  }
  // Takes the lock if nobody has had it since.
  bool try_lock_at(Version version) {
    return !is_held(version) &&
           version_.compare_exchange_strong(version, version + 1, std::memory_order_acquire, std::memory_order_relaxed);
  }

 private:
  static bool is_held(Version version) { return version % 2 != 0; }

  void wait() const {
    for (int i = 0; is_held(version_.load(std::memory_order_relaxed)); ++i) {
      if (i >= kSpins) std::this_thread::yield();
#if defined(__x86_64__)
      __builtin_ia32_pause();
#endif
    }
  }

  static constexpr int kSpins = 100;  // some microseconds: far more than any holder takes that runs
  std::atomic<Version> version_{0};
};

}  // namespace rproxy::limit
