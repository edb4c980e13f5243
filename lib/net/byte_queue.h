// Bytes that have come and not been used yet, in pooled buffers.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "net/buffer_pool.h"

namespace rproxy::net {

class ByteQueue {
 public:
  // `pool` outlives the queue.
  explicit ByteQueue(BufferPool& pool) : pool_(pool) {}

  void append(std::string_view bytes);
  // The first of them that lie together; stays in place until consumed.
  std::string_view front() const;
  // At most front().size().
  void consume(std::size_t size);
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  void clear();

 private:
  BufferPool& pool_;
  std::vector<Buffer> buffers_;
  std::size_t begin_ = 0;  // in the first buffer
  std::size_t end_ = 0;    // in the last one
  std::size_t size_ = 0;
};

}  // namespace rproxy::net
