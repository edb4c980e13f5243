#include "http2/pooled_memory.h"

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

// Nothing may be thrown through C.
void* allocate(std::size_t size, void*) {
  if (size > std::numeric_limits<std::size_t>::max() - sizeof(Head)) return nullptr;
  try {
    return new (MemoryPool::allocate(sizeof(Head) + size)) Head{size} + 1;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void release(void* piece, void*) {
  if (piece != nullptr) MemoryPool::release(head_of(piece), sizeof(Head) + head_of(piece)->size);
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
