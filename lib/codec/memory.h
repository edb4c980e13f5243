// Memory for the compression libraries, of one thread: counted, and given back to the next stream rather than to the heap. Brotli has no
// way to begin anew with what it has; a megabyte of fresh pages for each answer would cost more than the coding of a short one.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#include "base/memory_pool.h"

namespace rproxy::codec {

// What several of these have in use together, on whichever threads.
class Tally {
 public:
  void add(std::size_t bytes) { bytes_.fetch_add(bytes, std::memory_order_relaxed); }
  void subtract(std::size_t bytes) { bytes_.fetch_sub(bytes, std::memory_order_relaxed); }
  std::size_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::size_t> bytes_{0};
};

class Memory {
 public:
#ifdef RPROXY_PLAIN_MEMORY
  // Recycled memory would hide faults from AddressSanitizer.
  static constexpr bool kRecycles = false;
#else
  static constexpr bool kRecycles = true;
#endif

  explicit Memory(std::size_t spare_max, std::shared_ptr<Tally> tally = nullptr)
      : spare_max_(kRecycles ? spare_max : 0), tally_(std::move(tally)) {}
  ~Memory();
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  // Aligned for anything; null where the heap has none.
  void* allocate(std::size_t size) noexcept;
  void release(void* memory) noexcept;

  // What a piece of that size takes: up to an eighth more, so that it fits the next one who asks for nearly as much.
  static constexpr std::size_t gross(std::size_t size) { return kHeader + rounded(size); }
  static std::size_t gross_of(const void* memory) noexcept;

  std::size_t in_use() const { return in_use_; }
  std::size_t spare() const { return spare_; }
  // How often the heap was asked.
  std::uint64_t heap_calls() const { return heap_calls_; }

 private:
  struct Block;
  static constexpr std::size_t kHeader = 16;
  static constexpr std::size_t kSmallest = 64;
  static constexpr std::size_t kClasses = 256;

  // Eight sizes to each doubling.
  static constexpr std::size_t rounded(std::size_t size) {
    if (size <= kSmallest) return kSmallest;
    const std::size_t step = std::bit_floor(size - 1) / 8;
    return (size + step - 1) / step * step;
  }
  static constexpr std::size_t class_of(std::size_t size) {
    if (size <= kSmallest) return 0;
    const auto log = static_cast<std::size_t>(std::bit_width(size - 1)) - 1;
    return 1 + 8 * (log - 6) + ((size - 1) >> (log - 3)) - 8;
  }

  std::array<Block*, kClasses> free_{};
  std::size_t spare_max_;
  std::size_t spare_ = 0;
  std::size_t in_use_ = 0;
  std::uint64_t heap_calls_ = 0;
  std::shared_ptr<Tally> tally_;  // or null
};

// One context's share of it, in the forms the libraries want: `opaque` is the account.
class Account {
 public:
  explicit Account(Memory& memory) : memory_(memory) {}
  Account(const Account&) = delete;
  Account& operator=(const Account&) = delete;

  std::size_t bytes() const { return bytes_; }
  std::size_t bytes_max() const { return bytes_max_; }

  static void* allocate(void* opaque, std::size_t size) noexcept;
  static void release(void* opaque, void* memory) noexcept;
  static void* allocate_items(void* opaque, unsigned items, unsigned size) noexcept {
    return allocate(opaque, static_cast<std::size_t>(items) * size);
  }

 private:
  Memory& memory_;
  std::size_t bytes_ = 0;
  std::size_t bytes_max_ = 0;
};

}  // namespace rproxy::codec
