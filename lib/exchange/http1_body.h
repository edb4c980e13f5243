// The content of an HTTP/1 message as it comes off a stream, the same for requests and responses (RFC 9112 6, 7).
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "exchange/body.h"
#include "exchange/content_meter.h"
#include "http/chunked.h"
#include "net/stream.h"

namespace rproxy::exchange {

class Http1Content {
 public:
  struct Limits {
    const http::ChunkLimits* chunks = nullptr;
    Duration silence{0};                          // longest wait for the next bytes
    std::uint64_t bytes = 0;                      // most content; 0: no limit. Over: kBodyTooLarge
    ByteSize min_rate{0};                         // bytes a second after a grace of 10 s; 0: none
    ErrorCode cancelled = ErrorCode::kCancelled;  // why the stream was aborted, where its owner knows
  };

  // The stream's input begins with the content's first byte; what is read of it may be changed in place. `stream`, `arena` and `limits`
  // outlive it.
  Http1Content(net::Stream& stream, http::BodyLength length, Arena& arena, const Limits& limits);

  net::ValueTask<Result<Slice>> read();
  http::BodyLength length() const { return length_; }
  const http::Fields* trailers() const;

  // Everything was read: the stream stands at the next message.
  bool is_complete() const { return complete_; }
  std::uint64_t bytes_read() const { return meter_.bytes(); }

  // Takes the last slice off the stream: what follows is the next message.
  void finish() { stream_.consume(std::exchange(given_, 0)); }

 private:
  // One step over what has arrived; nothing if that is not enough.
  std::optional<Result<Slice>> step();
  std::optional<Result<Slice>> step_fixed();
  std::optional<Result<Slice>> step_chunked();
  net::Task<Result<Slice>> wait();
  std::optional<Error> check_limits(std::size_t size);
  Error with_side(Error error) const;

  net::Stream& stream_;
  const Limits& limits_;
  http::BodyLength length_;
  std::uint64_t remaining_ = 0;  // kFixed
  std::size_t given_ = 0;        // bytes of input behind the last slice, consumed when the next is asked for
  ContentMeter meter_;
  bool complete_ = false;
  std::optional<http::ChunkDecoder> chunks_;
  Arena& arena_;
};

}  // namespace rproxy::exchange
