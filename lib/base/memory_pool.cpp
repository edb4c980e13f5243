#include "base/memory_pool.h"

namespace rproxy {
#ifndef RPROXY_PLAIN_MEMORY

constinit thread_local std::array<MemoryPool::FreeList, MemoryPool::kClasses> MemoryPool::lists_{};

struct MemoryPool::Cleaner {
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

void* MemoryPool::allocate_anew(std::size_t size) {
  static thread_local const Cleaner cleaner;
  const std::size_t index = size_class(size);
  return ::operator new(index < kClasses ? index * kStep : size);
}

#endif
}  // namespace rproxy
