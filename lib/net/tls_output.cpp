#include "net/tls_output.h"

#include <algorithm>
#include <cstring>

namespace rproxy::net {

std::size_t TlsOutput::append(const char* data, std::size_t size) {
  const std::size_t each = pool_.buffer_size();
  const std::size_t taken = std::min(size, room());
  for (std::size_t done = 0; done < taken;) {
    Buffer& buffer = buffers_[end_ / each];
    if (!buffer) buffer = pool_.take();
    const std::size_t at = end_ % each;
    const std::size_t part = std::min(taken - done, each - at);
    std::memcpy(buffer.data() + at, data + done, part);
    done += part;
    end_ += static_cast<std::uint32_t>(part);
  }
  return taken;
}

std::span<const iovec> TlsOutput::hand_down(Pieces& pieces) {
  const std::size_t each = pool_.buffer_size();
  std::size_t count = 0;
  for (std::size_t at = begin_; at < end_;) {
    const std::size_t size = std::min(end_ - at, each - at % each);
    pieces[count++] = {buffers_[at / each].data() + at % each, size};
    at += size;
  }
  on_the_way_ = end_;
  return {pieces.data(), count};
}

void TlsOutput::handed_down() {
  begin_ = on_the_way_;
  if (empty()) clear();
}

void TlsOutput::clear() {
  for (Buffer& buffer : buffers_) buffer.reset();
  begin_ = on_the_way_ = end_ = 0;
}

}  // namespace rproxy::net
