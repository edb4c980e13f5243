// A TCP or Unix socket as a Stream.
#pragma once

#include <cstdint>

#include "base/fd.h"
#include "net/poller.h"
#include "net/stream.h"

namespace rproxy::net {

class SocketStream final : public Stream, private Poller::Watcher {
 public:
  // Takes over a non-blocking stream socket, connected or connecting.
  static StreamPtr adopt(Loop& loop, Side side, Fd socket);

  bool can_send_files() const override { return true; }
  void shutdown_write() override;
  void abort(bool reset) override;
  bool has_peer_ended() const override { return ended_ || !socket_; }

 private:
  SocketStream(Loop& loop, Side side, Fd socket);
  ~SocketStream() override;
  void retire() override;

  void start_read() override;
  bool start_write() override;
  void start_wait(Direction direction) override;

  void on_ready(std::uint32_t events) override;
  void serve_writer();
  void serve_reader();
  void receive();
  void call_again();

  Fd socket_;
  std::uint8_t turns_left_ = 0;  // receives that may follow each other before others get their turn
  bool readable_ = false;        // bytes, or an end, are there as far as is known
  bool ended_ = false;       // the peer has ended its side, or the connection broke: a short receive is not the last
  bool receiving_ = false;   // the base waits for complete_read()
  bool waits_read_ = false;  // the base waits for complete_ready()
  bool waits_write_ = false;
  bool called_ = false;  // within on_ready(): deleting has to wait
  bool retired_ = false;
  bool again_ = false;
};

// The error word for an errno of connect(), recv() or send().
ErrorCode error_code_of(int os_error);

}  // namespace rproxy::net
