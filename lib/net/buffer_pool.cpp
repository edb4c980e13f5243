#include "net/buffer_pool.h"

#include <cstring>
#include <new>

namespace rproxy::net {

BufferPool::~BufferPool() {
  while (spare_ != nullptr) {
    char* next = nullptr;
    std::memcpy(&next, spare_, sizeof next);
    ::operator delete(spare_);
    spare_ = next;
  }
}

Buffer BufferPool::take() {
  if (spare_ == nullptr) return {this, static_cast<char*>(::operator new(buffer_size_))};
  char* data = spare_;
  std::memcpy(&spare_, data, sizeof spare_);
  --spare_count_;
  return {this, data};
}

void BufferPool::give_back(char* data) {
  if (spare_count_ >= kSpareMax) {
    ::operator delete(data);
    return;
  }
  std::memcpy(data, &spare_, sizeof spare_);
  spare_ = data;
  ++spare_count_;
}

}  // namespace rproxy::net
