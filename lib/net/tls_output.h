// What a TLS connection has encrypted and not yet handed down: a few pooled buffers while there is something, none otherwise.
#pragma once

#include <sys/uio.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "net/buffer_pool.h"

namespace rproxy::net {

class TlsOutput {
 public:
  // Two hold the records of any one buffer of content, so that it leaves in one system call.
  static constexpr std::size_t kBuffersMax = 2;
  using Pieces = std::array<iovec, kBuffersMax>;

  explicit TlsOutput(BufferPool& pool) : pool_(pool) {}

  bool empty() const { return begin_ == end_; }
  std::size_t room() const { return kBuffersMax * pool_.buffer_size() - end_; }
  // Takes as much as there is room for; returns how much that was.
  std::size_t append(const char* data, std::size_t size);

  // Everything not handed down yet, as pieces that stay in place until handed_down() is called. More may be appended meanwhile.
  std::span<const iovec> hand_down(Pieces& pieces);
  void handed_down();
  void clear();

 private:
  BufferPool& pool_;
  std::array<Buffer, kBuffersMax> buffers_;
  std::uint32_t begin_ = 0;
  std::uint32_t on_the_way_ = 0;  // up to here it is in the hands of the stream below
  std::uint32_t end_ = 0;
};

}  // namespace rproxy::net
