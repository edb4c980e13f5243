#include "http2/pooled_memory.h"

#include <sys/mman.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <limits>
#include <new>

#include "base/memory_pool.h"

namespace rproxy::http2 {
namespace {

// Before each piece, as the pool must be told the size again. As long as what any type must be aligned to.
struct alignas(std::max_align_t) Head {
  std::size_t size;
};

Head* head_of(void* piece) { return static_cast<Head*>(piece) - 1; }

// Each session has one large piece, a frame's buffer, of which header sections use the beginning: content is not copied there. From the
// heap it would lie where others' buffers were, and all of it would count; in pages of its own the rest is never touched.
bool has_own_pages(std::size_t size) { return size >= std::size_t{16} * 1024; }

void* take(std::size_t size) {
  if (!has_own_pages(size)) return MemoryPool::allocate(size);
  void* pages = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return pages == MAP_FAILED ? nullptr : pages;
}

// Nothing may be thrown through C.
void* allocate(std::size_t size, void*) {
  if (size > std::numeric_limits<std::size_t>::max() - sizeof(Head)) return nullptr;
  try {
    void* memory = take(sizeof(Head) + size);
    return memory == nullptr ? nullptr : new (memory) Head{size} + 1;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void release(void* piece, void*) {
  if (piece == nullptr) return;
  const std::size_t size = sizeof(Head) + head_of(piece)->size;
  if (has_own_pages(size)) {
    ::munmap(head_of(piece), size);
  } else {
    MemoryPool::release(head_of(piece), size);
  }
}

void* allocate_zeroed(std::size_t count, std::size_t size, void*) {
  if (size != 0 && count > std::numeric_limits<std::size_t>::max() / size) return nullptr;
  void* piece = allocate(count * size, nullptr);
  return piece == nullptr ? nullptr : std::memset(piece, 0, count * size);
}

void* reallocate(void* piece, std::size_t size, void*) {
  void* moved = allocate(size, nullptr);
  if (moved == nullptr || piece == nullptr) return moved;
  std::memcpy(moved, piece, std::min(size, head_of(piece)->size));
  release(piece, nullptr);
  return moved;
}

}  // namespace

nghttp2_mem* pooled_memory() {
  static nghttp2_mem memory{nullptr, allocate, release, allocate_zeroed, reallocate};
  return &memory;
}

}  // namespace rproxy::http2
