// Memory for the compression libraries, of one thread: counted, and given back to the next stream rather than to the heap. Brotli has no
// way to begin anew with what it has; a megabyte of fresh pages for each answer would cost more than the coding of a short one.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/memory_pool.h"

namespace rproxy::codec {

class Memory {
 public:
#ifdef RPROXY_PLAIN_MEMORY
  // Recycled memory would hide faults from AddressSanitizer.
  static constexpr bool kRecycles = false;
#else
  static constexpr bool kRecycles = true;
#endif

  explicit Memory(std::size_t spare_max) : spare_max_(kRecycles ? spare_max : 0) {}
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // Aligned for anything; null where the heap has none.
  void* allocate(std::size_t size) noexcept;
  void release(void* memory) noexcept;
  // What a piece takes, which is up to a quarter more than was asked for.
  static std::size_t size_of(const void* memory) noexcept;

  std::size_t in_use() const { return in_use_; }
  std::size_t spare() const { return spare_; }
  // How often the heap was asked.
  std::uint64_t heap_calls() const { return heap_calls_; }

 private:
  struct Block;
  static constexpr std::size_t kClasses = 128;

  std::array<Block*, kClasses> free_{};
  std::size_t spare_max_;
  std::size_t spare_ = 0;
  std::size_t in_use_ = 0;
  std::uint64_t heap_calls_ = 0;
};

// One context's share of it, in the forms the libraries want: `opaque` is the account.
class Account {
 public:
  explicit Account(Memory& memory) : memory_(memory) {}
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  std::size_t bytes() const { return bytes_; }
  std::size_t bytes_peak() const { return bytes_peak_; }

  static void* allocate(void* opaque, std::size_t size) noexcept;
  static void release(void* opaque, void* memory) noexcept;
  static void* allocate_items(void* opaque, unsigned items, unsigned size) noexcept {
    return allocate(opaque, static_cast<std::size_t>(items) * size);
  }

 private:
  Memory& memory_;
  std::size_t bytes_ = 0;
  std::size_t bytes_peak_ = 0;
};

}  // namespace rproxy::codec
