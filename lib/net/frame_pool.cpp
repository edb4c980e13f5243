#include "net/frame_pool.h"

namespace rproxy::net {
#ifndef RPROXY_PLAIN_FRAMES

constinit thread_local std::array<FramePool::FreeList, FramePool::kClasses> FramePool::lists_{};

struct FramePool::Cleaner {
  Cleaner() = default;
  Cleaner(const Cleaner&) = delete;
  Cleaner& operator=(const Cleaner&) = delete;
  ~Cleaner() {
    for (FreeList& list : lists_) {
      while (list.first != nullptr) {
        void* next = *static_cast<void**>(list.first);
        ::operator delete(list.first);
        list.first = next;
      }
    }
  }
};

void* FramePool::allocate_anew(std::size_t size) {
  static thread_local const Cleaner cleaner;
  const std::size_t index = size_class(size);
  return ::operator new(index < kClasses ? index * kStep : size);
}

#endif
}  // namespace rproxy::net
