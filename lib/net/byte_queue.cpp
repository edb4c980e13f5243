#include "net/byte_queue.h"

#include <algorithm>
#include <cstring>

namespace rproxy::net {

void ByteQueue::append(std::string_view bytes) {
  const std::size_t capacity = pool_.buffer_size();
  size_ += bytes.size();
  while (!bytes.empty()) {
    if (buffers_.empty() || end_ == capacity) {
      buffers_.push_back(pool_.take());
      end_ = 0;
    }
    const std::size_t part = std::min(bytes.size(), capacity - end_);
    std::memcpy(buffers_.back().data() + end_, bytes.data(), part);
    end_ += part;
    bytes.remove_prefix(part);
  }
}

std::string_view ByteQueue::front() const {
  if (buffers_.empty()) return {};
  const std::size_t end = buffers_.size() == 1 ? end_ : pool_.buffer_size();
  return {buffers_.front().data() + begin_, end - begin_};
}

void ByteQueue::consume(std::size_t size) {
  size_ -= size;
  begin_ += size;
  if (size_ == 0) {
    clear();
  } else if (begin_ == pool_.buffer_size()) {
    buffers_.erase(buffers_.begin());
    begin_ = 0;
  }
}

void ByteQueue::clear() {
  buffers_.clear();
  begin_ = end_ = size_ = 0;
}

}  // namespace rproxy::net
