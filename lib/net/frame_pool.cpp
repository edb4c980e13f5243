#include <array>
#include <new>

#include "net/task.h"

#if defined(__SANITIZE_ADDRESS__)
#define RPROXY_PLAIN_FRAMES 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RPROXY_PLAIN_FRAMES 1
#endif
#endif

namespace rproxy::net {
#ifdef RPROXY_PLAIN_FRAMES
// Recycled frames would hide a use after free from AddressSanitizer.
void* FramePool::allocate(std::size_t size) { return ::operator new(size); }
void FramePool::release(void* memory, std::size_t) noexcept { ::operator delete(memory); }
#else
namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kLargest = 4096;
// Beyond this many spare frames of a class, memory goes back to the heap: a burst must not be kept for ever.
constexpr std::size_t kSpareMax = 1024;

struct FreeList {
  void* first = nullptr;
  std::size_t count = 0;
};

struct FreeLists {
  std::array<FreeList, kLargest / kStep + 1> classes;
  ~FreeLists() {
    for (auto& list : classes) {
      while (list.first != nullptr) {
        void* next = *static_cast<void**>(list.first);
        ::operator delete(list.first);
        list.first = next;
      }
    }
  }
};

thread_local FreeLists free_lists;

std::size_t size_class(std::size_t size) { return (size + kStep - 1) / kStep; }

}  // namespace

void* FramePool::allocate(std::size_t size) {
  const std::size_t index = size_class(size);
  if (index >= free_lists.classes.size()) return ::operator new(size);
  FreeList& list = free_lists.classes[index];
  if (list.first == nullptr) return ::operator new(index* kStep);
  void* memory = list.first;
  list.first = *static_cast<void**>(memory);
  --list.count;
  return memory;
}

void FramePool::release(void* memory, std::size_t size) noexcept {
  const std::size_t index = size_class(size);
  if (index >= free_lists.classes.size() || free_lists.classes[index].count >= kSpareMax) {
    ::operator delete(memory);
    return;
  }
  FreeList& list = free_lists.classes[index];
  *static_cast<void**>(memory) = list.first;
  list.first = memory;
  ++list.count;
}
#endif

}  // namespace rproxy::net
