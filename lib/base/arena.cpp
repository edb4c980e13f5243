#include "base/arena.h"

#include <algorithm>

#include "base/memory_pool.h"

namespace rproxy {

void Arena::grow(std::size_t size) {
  const std::size_t wanted = std::max(kBlockSize, size);
  auto* block = static_cast<Block*>(MemoryPool::allocate(sizeof(Block) + wanted));
  block->older = blocks_;
  block->size = wanted;
  blocks_ = block;
  next_ = block->data();
  end_ = next_ + wanted;
}

std::string_view Arena::concat(std::initializer_list<std::string_view> parts) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  if (size == 0) return {};
  char* out = allocate(size);
  char* at = out;
  for (const auto part : parts) {
    if (part.empty()) continue;
    std::memcpy(at, part.data(), part.size());
    at += part.size();
  }
  return {out, size};
}

void Arena::reset() {
  if (blocks_ == nullptr) return;
  drop(blocks_->older);
  blocks_->older = nullptr;
  // A block swollen by one large request must not stay with the next small ones.
  if (blocks_->size > kBlockSize) {
    drop(blocks_);
    blocks_ = nullptr;
    next_ = end_ = nullptr;
    return;
  }
  next_ = blocks_->data();
}

void Arena::drop(Block* block) {
  while (block != nullptr) {
    Block* older = block->older;
    MemoryPool::release(block, sizeof(Block) + block->size);
    block = older;
  }
}

}  // namespace rproxy
