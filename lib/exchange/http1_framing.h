// One slice of content as the pieces of one write, the same for requests and responses (RFC 9112 7.1).
#pragma once

#include <sys/uio.h>

#include <array>
#include <span>
#include <string_view>

#include "base/arena.h"
#include "exchange/body.h"
#include "http/chunked.h"

namespace rproxy::exchange {

class Http1Framing {
 public:
  // `chunked`: whether the content goes out in chunks; otherwise its length, or the connection's end, delimits it.
  explicit Http1Framing(bool chunked) : chunked_(chunked) {}

  // `before` is sent first (a head, or nothing). With the last slice of a chunked content go the trailer fields, if any. The pieces are
  // valid until the next call and as long as slice, trailers' text and this object live.
  std::span<const iovec> frame(std::string_view before, const Slice& slice, const http::Fields* trailers, Arena& arena);

 private:
  bool chunked_;
  std::array<char, http::kChunkHeadMax> size_line_;
  std::array<iovec, 5> pieces_;
};

}  // namespace rproxy::exchange
