#include "http2/frame_watch.h"

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstring>

namespace rproxy::http2 {
namespace {

std::uint32_t number(const unsigned char* bytes, std::size_t size) {
  std::uint32_t value = 0;
  for (std::size_t i = 0; i < size; ++i) value = value << 8 | bytes[i];
  return value;
}

std::int32_t stream_id(const unsigned char* bytes) { return static_cast<std::int32_t>(number(bytes, 4) & 0x7fffffff); }

}  // namespace

// What of a frame has to be there to be looked at.
std::size_t FrameWatch::wanted() const {
  if (size_ < kHead) return kHead;
  const std::uint8_t type = collected_[3];
  const bool names = type == NGHTTP2_PRIORITY || type == NGHTTP2_PRIORITY_UPDATE;
  return names && number(collected_, 3) >= kNamed ? kHead + kNamed : kHead;
}

std::size_t FrameWatch::advance(std::string_view bytes) {
  has_head_ = false;
  std::size_t used = std::min(skip_, bytes.size());
  skip_ -= used;
  begun_ = size_;
  head_bytes_ = 0;
  while (used < bytes.size()) {
    const std::size_t part = std::min(wanted() - size_, bytes.size() - used);
    std::memcpy(collected_ + size_, bytes.data() + used, part);
    size_ += part;
    used += part;
    head_bytes_ += part;
    if (size_ < kHead || size_ < wanted()) continue;
    read_head();
    break;
  }
  return used;
}

void FrameWatch::read_head() {
  head_ = {number(collected_, 3), collected_[3], collected_[4], stream_id(collected_ + 5), -1};
  if (size_ > kHead) head_.named_stream = stream_id(collected_ + kHead);
  skip_ = head_.length - (size_ - kHead);
  size_ = 0;
  has_head_ = true;
}

}  // namespace rproxy::http2
