// Recycles memory of one thread by size class: a request takes and gives back a dozen coroutine frames and some lists and texts, none of
// which should cost a visit to the heap. Larger pieces go there. What was taken in one thread may be given back in another.
#pragma once

#include <array>
#include <cstddef>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define RPROXY_PLAIN_MEMORY 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RPROXY_PLAIN_MEMORY 1
#endif
#endif

namespace rproxy {

class MemoryPool {
 public:
#ifdef RPROXY_PLAIN_MEMORY
  // Recycled memory would hide a use after free from AddressSanitizer.
  static void* allocate(std::size_t size) { return ::operator new(size); }
  static void release(void* memory, std::size_t) noexcept { ::operator delete(memory); }
#else
  static void* allocate(std::size_t size) {
    const std::size_t index = size_class(size);
    if (index >= kClasses || lists_[index].first == nullptr) return allocate_anew(size);
    FreeList& list = lists_[index];
    void* memory = list.first;
    list.first = *static_cast<void**>(memory);
    --list.count;
    return memory;
  }

  static void release(void* memory, std::size_t size) noexcept {
    const std::size_t index = size_class(size);
    if (index >= kClasses || lists_[index].count >= kSpareMax) {
      ::operator delete(memory);
      return;
    }
    FreeList& list = lists_[index];
    *static_cast<void**>(memory) = list.first;
    list.first = memory;
    ++list.count;
  }

 private:
  static constexpr std::size_t kStep = 64;
  static constexpr std::size_t kClasses = 4096 / kStep + 1;
  // Beyond this many spare pieces of a class, memory goes back to the heap: a burst must not be kept for ever.
  static constexpr std::size_t kSpareMax = 1024;

  struct FreeList {
    void* first;
    std::size_t count;
  };
  // Gives the spare pieces back when the thread ends. Apart from the lists, whose use must cost no look at whether they are set up.
  struct Cleaner;

  static constexpr std::size_t size_class(std::size_t size) { return (size + kStep - 1) / kStep; }
  static void* allocate_anew(std::size_t size);

  static constinit thread_local std::array<FreeList, kClasses> lists_;
#endif
};

// For containers that come and go with requests.
template <typename T>
struct PoolAllocator {
  using value_type = T;

  PoolAllocator() = default;
  template <typename U>
  PoolAllocator(const PoolAllocator<U>&) noexcept {}  // NOLINT(google-explicit-constructor): as allocators are

  T* allocate(std::size_t count) { return static_cast<T*>(MemoryPool::allocate(count * sizeof(T))); }
  void deallocate(T* memory, std::size_t count) noexcept { MemoryPool::release(memory, count * sizeof(T)); }
  bool operator==(const PoolAllocator&) const = default;
};

}  // namespace rproxy
