// One HTTP/2 connection as a machine (RFC 9113): bytes in by feed(), bytes out by drain(), nothing else; no socket and no clock of its
// own. nghttp2 does framing, HPACK, windows, stream states and scheduling by priority (RFC 9218).
#pragma once

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/units.h"
#include "http/message.h"
#include "http2/frame_budget.h"
#include "http2/frame_watch.h"
#include "http2/header_block.h"
#include "http2/options.h"
#include "http2/priority.h"

namespace rproxy::http2 {

// RFC 9113 7.
enum class ErrorWord : std::uint32_t {
  kNoError = 0,
  kProtocolError = 1,
  kInternalError = 2,
  kFlowControlError = 3,
  kStreamClosed = 5,
  kFrameSizeError = 6,
  kRefusedStream = 7,
  kCancel = 8,
  kEnhanceYourCalm = 11,
};

// One stream's owner. The calls come from within feed() and drain(), and must not call these back. Lives until on_close(), or until it has
// been detached.
class Stream {
 public:
  // A head, or the trailers, are complete in `block`; `last`: nothing follows.
  virtual void on_block(bool last) = 0;
  // Valid within the call. Counts against the stream's window until Session::consumed().
  virtual void on_content(std::string_view bytes) = 0;
  // The peer's content, announced by an earlier on_block(false), is complete.
  virtual void on_end() = 0;
  // All of `out` has been taken, or, with sent_last, the stream's end has gone out.
  virtual void on_taken() = 0;
  // The session has forgotten the stream.
  virtual void on_close(std::uint32_t error) = 0;

  std::int32_t id = 0;
  HeaderBlock block;                       // started by its owner before the peer's lines come
  std::string_view out;                    // content to be sent, in place until on_taken()
  bool out_is_last = false;                // nothing follows but the trailers
  const http::Fields* trailers = nullptr;  // with the last
  bool has_out = false;                    // `out` is there, empty or not
  bool sent_last = false;                  // END_STREAM has gone out
  std::uint64_t bytes_received = 0;        // frames and their heads
  std::uint64_t bytes_sent = 0;
  nghttp2_extpri priority = kDefaultPriority;  // as the client wishes

 protected:
  Stream() = default;
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() = default;
};

// The last of many streams.
class RecentStreams {
 public:
  explicit RecentStreams(std::size_t kept) : kept_(kept) {}

  void add(std::int32_t id) {
    if (ids_.size() < kept_) return ids_.push_back(id);
    ids_[next_++ % kept_] = id;
  }
  bool has(std::int32_t id) const { return std::ranges::find(ids_, id) != ids_.end(); }

 private:
  std::size_t kept_;
  std::size_t next_ = 0;
  std::vector<std::int32_t> ids_;
};

class Session {
 public:
  // Of the connection; null where it is ours to make streams.
  class Acceptor {
   public:
    // A request begins: its owner, whose block has been started.
    virtual Stream& accept() = 0;

   protected:
    ~Acceptor() = default;
  };

  enum class Role : std::uint8_t { kServer, kClient };

  // What goes out is appended here, as far as there is room.
  struct Output {
    char* data;
    std::size_t capacity;
    std::size_t size = 0;
    std::size_t room() const { return capacity - size; }
  };
  // Less room than this is not worth a frame.
  static constexpr std::size_t kRoomMin = 1024;

  // `options`, `head` and `acceptor` outlive the session. The server's or client's preface is ready to be drained.
  Session(Role role, const Options& options, const http::HeadLimits& head, Acceptor* acceptor);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // False: the connection is beyond repair; what drain() still gives is its farewell.
  bool feed(std::string_view bytes, TimePoint now);
  // Returns early where a stream's content is used up, as what else it has comes before that of streams less urgent.
  void drain(Output& out);
  bool wants_to_send() const;
  // Nothing more will be sent or understood.
  bool is_over() const;
  // The number of the header section that the peer has begun and not ended; 0: none.
  std::uint64_t open_header_block() const { return open_block_ != 0 ? header_blocks_ : 0; }
  // Why the peer was told to calm down; empty: it was not.
  std::string_view abuse() const { return abuse_; }
  // GOAWAY has come: no new stream will be answered, and those above last_stream_id() have not been looked at (RFC 9113 6.8).
  bool is_going_away() const { return going_away_; }
  std::size_t open_streams() const { return open_streams_; }

  // ---- The server's answers. With `has_content` the stream's `out` follows, now or when resume() says so.
  void respond(Stream& stream, const http::ResponseHead& head, http::BodyLength length, bool has_content);
  void respond_interim(const Stream& stream, const http::ResponseHead& head);

  // ---- The client's requests. False: no stream can be had.
  bool request(Stream& stream, const http::RequestHead& head, http::BodyLength length, bool has_content);
  // False: the connection takes no new ones, whoever ended it.
  bool can_request() const;
  // How many streams the server lets us have at once, as far as it has said so.
  std::uint32_t peer_max_streams() const;
  bool peer_takes_websockets() const;
  // Its SETTINGS have come, with which it begins.
  bool has_peer_settings() const { return has_peer_settings_; }
  void ping();
  std::uint64_t pongs() const { return pongs_; }

  // ---- Both.
  // There is `out` again.
  void resume(const Stream& stream);
  // Content has been used up: the peer may send as much again.
  void consumed(const Stream& stream, std::size_t size);
  // Whether the peer takes content of that stream, were it its turn.
  bool has_window(const Stream& stream) const;
  // Of all streams.
  std::uint64_t content_sent() const { return content_sent_; }
  void reset(const Stream& stream, ErrorWord word);
  // The owner goes: no more calls, and a stream that is not closed is reset.
  void detach(Stream& stream, ErrorWord word);
  // No new streams from a time to come on (RFC 9113 6.8: said first), and then from now on.
  void announce_shutdown();
  void shut_down();
  // Ends the connection with that word.
  void terminate(ErrorWord word);

 private:
  struct Deleter {
    void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
  };
  struct Callbacks;  // what nghttp2 calls

  void make_session(Role role);
  void submit_settings(Role role);
  void set_fields(const http::Fields& fields);
  void set_status(std::uint16_t status);
  void set_length(http::BodyLength length);
  void put(std::string_view name, std::string_view value, std::uint8_t flags);
  // Of a name in lower case that stays in place.
  void put_known(std::string_view name, std::string_view value) { put(name, value, NGHTTP2_NV_FLAG_NO_COPY_NAME); }
  void set_priority(const Stream& stream, const http::Fields& fields);
  void receive(std::string_view bytes);
  void look_at(const FrameHead& head);
  void charge_refused(const FrameHead& head);
  void check_closed(const FrameHead& head);
  void check_priority(const FrameHead& head);
  void charge_frame(const FrameHead& head);
  void spend_frames(std::uint32_t count, std::string_view abuse);
  void spend_reset();
  void calm_down(std::string_view abuse);
  void break_off(int error);
  Stream* find(std::int32_t id);
  void forget(const Stream& stream);
  void append_unsent(Output& out);

  const Options& options_;
  const http::HeadLimits& head_;
  Acceptor* acceptor_;
  std::unique_ptr<nghttp2_session, Deleter> session_;
  FrameBudget budget_;
  FrameWatch watch_;
  std::vector<nghttp2_nv> lines_;  // scratch, as are the next three
  std::string target_;
  char digits_[20];
  char status_[3];
  std::string_view unsent_;  // a frame that did not fit, nghttp2's until it is asked for more
  Output* draining_ = nullptr;
  Stream* found_ = nullptr;  // the last that was looked for: several calls in a row are about one stream
  std::string_view abuse_;
  std::string farewell_;  // where nghttp2 has no words any more
  std::size_t open_streams_ = 0;
  std::uint64_t pongs_ = 0;
  std::uint64_t content_sent_ = 0;
  std::uint64_t header_blocks_ = 0;
  RecentStreams reset_;              // by us: frames of theirs may still be on their way
  RecentStreams closed_;             // however
  std::uint32_t continuations_ = 0;  // of the present header section
  std::int32_t open_block_ = 0;      // its stream
  std::int32_t newest_ = 0;          // of the streams that the peer has named
  std::int32_t opening_ = 0;         // the newest, while nobody has accepted it
  bool going_away_ = false;
  bool has_peer_settings_ = false;
  bool broken_ = false;
  bool deaf_ = false;  // told to go for an error: what still comes means nothing
};

}  // namespace rproxy::http2
