#include "codec/memory.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <utility>

namespace rproxy::codec {

// In front of each piece.
struct alignas(16) Memory::Block {
  std::size_t size;
  Block* next;  // while it is spare
};

Memory::~Memory() {
  for (Block* block : free_) {
    while (block != nullptr) std::free(std::exchange(block, block->next));
  }
}

void* Memory::allocate(std::size_t size) noexcept {
  static_assert(sizeof(Block) == kHeader);
  static_assert(class_of(std::size_t{1} << 37U) < kClasses);
  if (size > std::size_t{1} << 37U) return nullptr;
  Block*& list = free_[class_of(size)];
  Block* block = list;
  if (block != nullptr) {
    list = block->next;
    spare_ -= kHeader + block->size;
  } else {
    const std::size_t whole = kRecycles ? rounded(size) : size;
    ++heap_calls_;
    void* memory = std::malloc(kHeader + whole);
    if (memory == nullptr) return nullptr;
    block = new (memory) Block{whole, nullptr};
  }
  in_use_ += kHeader + block->size;
  if (tally_ != nullptr) tally_->add(kHeader + block->size);
  return block + 1;
}

void Memory::release(void* memory) noexcept {
  if (memory == nullptr) return;
  Block* block = static_cast<Block*>(memory) - 1;
  const std::size_t whole = kHeader + block->size;
  in_use_ -= whole;
  if (tally_ != nullptr) tally_->subtract(whole);
  if (spare_ + whole > spare_max_) {
    std::free(block);
    return;
  }
  Block*& list = free_[class_of(block->size)];
  block->next = list;
  list = block;
  spare_ += whole;
}

std::size_t Memory::gross_of(const void* memory) noexcept {
  return kHeader + (static_cast<const Block*>(memory) - 1)->size;
}

void* Account::allocate(void* opaque, std::size_t size) noexcept {
  auto& account = *static_cast<Account*>(opaque);
  void* memory = account.memory_.allocate(size);
  if (memory == nullptr) return nullptr;
  account.bytes_ += Memory::gross_of(memory);
  account.bytes_max_ = std::max(account.bytes_max_, account.bytes_);
  return memory;
}

void Account::release(void* opaque, void* memory) noexcept {
  if (memory == nullptr) return;
  auto& account = *static_cast<Account*>(opaque);
  account.bytes_ -= Memory::gross_of(memory);
  account.memory_.release(memory);
}

}  // namespace rproxy::codec
