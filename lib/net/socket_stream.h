// A TCP or Unix socket as a Stream.
#pragma once

#include <array>
#include <asio/basic_stream_socket.hpp>
#include <asio/buffer.hpp>
#include <asio/generic/stream_protocol.hpp>
#include <cstddef>

#include "base/fd.h"
#include "net/stream.h"

namespace rproxy::net {

class SocketStream final : public Stream {
 public:
  // Takes over a connected, non-blocking stream socket.
  static StreamPtr adopt(Loop& loop, Side side, Fd socket, int family);

  void shutdown_write() override;
  void abort(bool reset) override;
  int splice_descriptor() const override;

 private:
  using Socket = asio::basic_stream_socket<asio::generic::stream_protocol, Loop::Executor>;

  // The buffers of a receive, asked for by Asio at the moment bytes are there: an idle connection lends no buffer to the kernel.
  struct LateBuffer {
    using value_type = asio::mutable_buffer;
    using const_iterator = const asio::mutable_buffer*;
    SocketStream* stream;
    const_iterator begin() const { return stream->late_buffer(); }
    const_iterator end() const { return &stream->late_buffer_ + 1; }
  };
  struct ReadHandler;
  struct ReadyHandler;
  template <typename T>
  struct OperationAllocator;

  SocketStream(Loop& loop, Side side, int family, int descriptor);
  ~SocketStream() override = default;
  void retire() override;

  void start_read() override;
  bool start_write() override;
  void start_wait(Direction direction) override;

  const asio::mutable_buffer* late_buffer();
  void on_received(const asio::error_code& error, std::size_t size);
  void on_ready(Direction direction, const asio::error_code& error);
  void continue_write();
  void operation_ended();

  Socket socket_;
  asio::mutable_buffer late_buffer_;
  std::uint8_t late_calls_ = 0;
  std::uint8_t operations_ = 0;
  bool retired_ = false;
  bool operation_memory_used_ = false;
  // Where Asio keeps the receive that nearly always is under way; others go to the heap.
  alignas(std::max_align_t) std::array<std::byte, 192> operation_memory_;
};

// The error word for an errno of connect(), recv() or send().
ErrorCode error_code_of(int os_error);

}  // namespace rproxy::net
