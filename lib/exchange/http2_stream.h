// One exchange's stream of an HTTP/2 connection: content both ways, with back-pressure. What its heads are is for who derives from it.
#pragma once

#include <cstdint>
#include <optional>

#include "base/arena.h"
#include "exchange/body.h"
#include "exchange/content_meter.h"
#include "exchange/http2_connection.h"
#include "http/message.h"
#include "net/byte_queue.h"
#include "net/deadline_wheel.h"

namespace rproxy::exchange {

class Http2Stream : public http2::Stream {
 public:
  struct Limits {
    Duration silence{0};       // longest wait for the peer's next content
    std::uint64_t bytes = 0;   // most content; 0: no limit. Over: kBodyTooLarge
    ByteSize min_rate{0};      // bytes a second after a grace of 10 s; 0: none
    Duration send_timeout{0};  // longest time the peer takes nothing of ours
  };

  // `side`: who the peer is. The connection, `arena` (the text of heads and trailers), `head` and
  // `limits` outlive the stream.
  Http2Stream(Http2Connection& connection, Side side, Arena& arena, const http::HeadLimits& head, const Limits& limits);

  // ---- The peer's content. As of Body.
  net::ValueTask<Result<Slice>> read();
  const http::Fields* received_trailers() const {
    return has_ended_ && !trailer_fields_.empty() ? &trailer_fields_ : nullptr;
  }
  // All has come, though it may not have been read.
  bool has_ended() const { return has_ended_; }

  // ---- Ours.
  // Until the session has taken it, at the peer's pace. Slice and trailers stay in place until then. Errors: kWriteTimeout, kReset.
  net::Task<Result<void>> write(Slice slice, const http::Fields* sent_trailers);
  // The same without waiting; the stream's `out` must be free.
  void offer(Slice slice, const http::Fields* sent_trailers);
  net::Task<Result<void>> await_taken();
  // Until the stream's end has gone out, where that needs no content.
  net::Task<Result<void>> await_sent_last();

  // The session has forgotten it: both ways are over. What was sent by then may still be read.
  bool is_closed() const { return closed_; }
  std::uint32_t close_error() const { return close_error_; }
  void reset(http2::ErrorWord word);

  Http2Connection& connection() { return connection_; }

 protected:
  ~Http2Stream();

  // The next block's lines go to `fields`.
  void expect_block(http::Fields& fields) { block.start(fields, arena_, head_); }
  // A head is complete. True: the final one; what follows are content and trailers.
  virtual bool on_head(bool last) = 0;
  virtual void on_closed() {}
  // Whether a stream that is closed with that word before its end has brought all the same what it had to.
  virtual bool is_whole(std::uint32_t /*error*/, std::uint64_t /*content*/) const { return false; }
  // Reading and writing fail with that from now on.
  void give_up(Error error);
  // No more of it: reset where it is not closed.
  void detach(http2::ErrorWord word);

  Arena& arena_;

 private:
  friend class Http2Connection;

  void on_block(bool last) final;
  void on_content(std::string_view bytes) final;
  void on_end() final;
  void on_taken() final;
  void on_close(std::uint32_t error) final;
  // The connection is gone.
  void lose();
  void enlist();
  void delist();

  void use_up();
  std::optional<Result<Slice>> step();
  net::Task<Result<Slice>> wait();
  Error closed_error() const;
  void on_silence();
  void arm_send_deadline();
  void on_send_deadline();

  Http2Connection& connection_;
  Side side_;
  const http::HeadLimits& head_;
  const Limits& limits_;
  net::ByteQueue input_;
  http::Fields trailer_fields_;
  Http2Wait input_wait_;
  Http2Wait output_wait_;
  net::Deadline input_deadline_;
  net::Deadline output_deadline_;
  std::size_t given_ = 0;  // bytes behind the last slice, used up when the next is asked for
  std::uint64_t content_received_ = 0;
  std::uint64_t sent_before_ = 0;      // bytes_sent when the peer was last seen to take something
  std::uint64_t all_sent_before_ = 0;  // of all streams
  ContentMeter meter_;
  std::uint32_t close_error_ = 0;
  std::optional<Error> trouble_;  // with the peer's content
  bool has_head_ = false;
  bool has_ended_ = false;
  bool closed_ = false;
  bool send_expired_ = false;
  bool given_up_ = false;        // both ways fail with the trouble
  Http2Stream* next_ = nullptr;  // of the connection's
  Http2Stream** link_ = nullptr;
};

}  // namespace rproxy::exchange
