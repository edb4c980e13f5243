// The bytes of an HTTP/2 connection, whichever side of it is ours. What arrives is fed to the session as it comes; what that makes of it
// is acted upon at the end of the loop's round, and what there is to send then leaves in one write, all streams' together.
#pragma once

#include <coroutine>
#include <cstddef>

#include "base/result.h"
#include "http2/session.h"
#include "net/buffer_pool.h"
#include "net/stream.h"
#include "net/task.h"

namespace rproxy::exchange {

class Http2Connection;
class Http2Stream;

// One coroutine's wait. Who ends it does so from within the session, so the coroutine goes on at the end of the round.
class Http2Wait {
 public:
  explicit Http2Wait(Http2Connection& connection) : connection_(connection) {}
  Http2Wait(const Http2Wait&) = delete;
  Http2Wait& operator=(const Http2Wait&) = delete;
  ~Http2Wait() { unlink(); }

  // Nothing happens where nobody waits.
  void end();

  auto operator co_await() { return Awaiter{*this}; }

 private:
  friend class Http2Connection;
  struct Awaiter {
    Http2Wait& wait;
    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> handle) { wait.handle_ = handle; }
    // Also where the coroutine is destroyed instead.
    ~Awaiter() {
      wait.handle_ = {};
      wait.unlink();
    }
    void await_resume() const noexcept {}
  };
  void unlink();

  Http2Connection& connection_;
  std::coroutine_handle<> handle_;
  Http2Wait* next_ = nullptr;
  Http2Wait** link_ = nullptr;  // the pointer that points at this one; null: not ended
};

class Http2Connection : private net::Poller::Watcher {
 public:
  // All outlive the connection. `acceptor`: as of http2::Session.
  Http2Connection(net::StreamPtr stream, http2::Session::Role role, const http2::Options& options,
                  const http::HeadLimits& head, http2::Session::Acceptor* acceptor);
  Http2Connection(const Http2Connection&) = delete;
  Http2Connection& operator=(const Http2Connection&) = delete;

  http2::Session& session() { return session_; }
  const http2::Session& session() const { return session_; }
  net::Stream& stream() { return *stream_; }
  net::Loop& loop() { return stream_->loop(); }

  // There is something to send, or a wait has ended.
  void schedule();
  TimePoint last_received() const { return last_received_; }
  // Ends both ways at once; streams still open are closed with kReset.
  void abort();

 protected:
  virtual ~Http2Connection();

  // Reads until the connection is over, and then tells the streams that are left. The error is why; none: an orderly end.
  net::Task<Result<void>> run();
  // At the end of a round: the waits that have ended are over, and what the session says next is still to be sent.
  virtual void on_round() {}

 private:
  friend class Http2Stream;
  friend class Http2Wait;

  void on_ready(std::uint32_t events) override;
  // Whether there was anybody.
  bool resume_ended();
  net::Task<void> write_out();
  void fill(http2::Session::Output& out);
  void close_streams();

  net::StreamPtr stream_;
  http2::Session session_;
  Http2Wait* ended_ = nullptr;
  Http2Wait** last_ended_ = &ended_;
  Http2Stream* streams_ = nullptr;
  net::Child<void> writer_;
  TimePoint last_received_;
  bool scheduled_ = false;
  bool closing_ = false;  // the farewell is sent: what still comes is dropped
};

}  // namespace rproxy::exchange
