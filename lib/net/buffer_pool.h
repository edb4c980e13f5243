// Fixed-size I/O buffers, recycled per worker. A connection borrows one only while bytes are in it.
#pragma once

#include <cstddef>
#include <utility>

namespace rproxy::net {

class BufferPool;

// Owns one buffer of its pool; empty when default-constructed or moved from. The pool outlives it.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept : pool_(other.pool_), data_(std::exchange(other.data_, nullptr)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    if (this != &other) {
      reset();
      pool_ = other.pool_;
      data_ = std::exchange(other.data_, nullptr);
    }
    return *this;
  }
  ~Buffer() { reset(); }

  void reset();
  char* data() const { return data_; }
  explicit operator bool() const { return data_ != nullptr; }

 private:
  friend class BufferPool;
  Buffer(BufferPool* pool, char* data) : pool_(pool), data_(data) {}

  BufferPool* pool_ = nullptr;
  char* data_ = nullptr;
};

class BufferPool {
 public:
  explicit BufferPool(std::size_t buffer_size) : buffer_size_(buffer_size) {}
  BufferPool(const BufferPool&) = delete;
  BufferPool& operator=(const BufferPool&) = delete;
  ~BufferPool();

  Buffer take();
  std::size_t buffer_size() const { return buffer_size_; }

 private:
  friend class Buffer;
  // Spare buffers kept; a burst of connections gives the rest back to the heap.
  static constexpr std::size_t kSpareMax = 256;

  void give_back(char* data);

  std::size_t buffer_size_;
  char* spare_ = nullptr;  // a list threaded through the spare buffers' first bytes
  std::size_t spare_count_ = 0;
};

inline void Buffer::reset() {
  if (data_ != nullptr) pool_->give_back(std::exchange(data_, nullptr));
}

}  // namespace rproxy::net
