// Bytes at the beginning of a stream that mean nothing.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>

#include "codec/encoder.h"

namespace rproxy::codec {

inline std::size_t padding_of(const EncoderOptions& options) { return std::min(options.padding, kPaddingMax); }

// A skippable frame (RFC 8878 3.1.2).
class ZstdPadding {
 public:
  ZstdPadding() = default;
  explicit ZstdPadding(std::size_t size) {
    if (size == 0) return;
    bytes_ = {'\x50', '\x2a', '\x4d', '\x18', static_cast<char>(size & 0xffU), static_cast<char>(size >> 8U), 0, 0};
    bytes_.resize(bytes_.size() + size);
  }

  bool is_through() const { return at_ == bytes_.size(); }
  // Writes what fits; how much that was.
  std::size_t write(std::span<char> out) {
    const std::size_t count = std::min(out.size(), bytes_.size() - at_);
    if (count != 0) std::memcpy(out.data(), bytes_.data() + at_, count);
    at_ += count;
    return count;
  }

 private:
  std::string bytes_;
  std::size_t at_ = 0;
};

}  // namespace rproxy::codec
