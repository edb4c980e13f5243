// A connection's bytes, plain or TLS, real or simulated. Reading fills the stream's own input buffer, which parsers read in place;
// writing takes the caller's pieces in one call. No coroutine frame and, warm, no allocation per operation.
//
// One reader and one writer at a time. Timeouts are stored, not raced: a deadline that passes ends the waiting operation with
// kReadTimeout or kWriteTimeout; after kWriteTimeout the stream is fit only for closing.
#pragma once

#include <sys/uio.h>

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "base/result.h"
#include "net/loop.h"

namespace rproxy::net {

// Who is told when an operation ends: a suspended coroutine, or a function where one stream is built on another.
struct Waiter {
  void (*function)(void*) = nullptr;
  void* argument = nullptr;

  static Waiter of(std::coroutine_handle<> handle) {
    return {[](void* address) { std::coroutine_handle<>::from_address(address).resume(); }, handle.address()};
  }
  explicit operator bool() const { return function != nullptr; }
  void operator()() const { function(argument); }
};

// Bytes of an open file.
struct FilePart {
  int descriptor = -1;
  std::uint64_t offset = 0;
  std::size_t size = 0;
};

class Stream {
 public:
  // Most pieces one write() takes: a head, a chunk's size line, its data and its end, twice over.
  static constexpr std::size_t kPiecesMax = 8;

  // Closing may outlive the owner: operations in flight hold the object until they have ended.
  struct Deleter {
    void operator()(Stream* stream) const { stream->retire(); }
  };

  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  // ---- Input.

  // Received and not yet consumed. Valid until the next consume() or fill().
  std::string_view input() const { return {buffer_.data() + begin_, end_ - begin_}; }
  void consume(std::size_t size);

  // Keeps everything before the input in place, for views into it, until release(). Before a head is parsed begin_message() sees to
  // it that `room` bytes, and some content behind them, fit without anything moving; hold() after it keeps the head itself.
  void begin_message(std::size_t room);
  void hold() { floor_ = begin_; }
  void release();

  // True when input has reached the buffer's size: fill() would fail with kLimitReached.
  bool is_full() const { return buffer_ && begin_ == floor_ && end_ == capacity(); }

  // Waits for more input: Result<size_t> with the bytes added, 0 at the end of the stream (FIN, or close_notify).
  auto fill() { return FillAwaiter{*this}; }

  // Whose fault a failure of this stream is.
  Side side() const { return side_; }

  // Receives ahead while nobody fills: `on_end` is called once when the peer has ended the stream, or it broke (is_ended() then), or the
  // buffer is full. What arrives meanwhile is in input(). Ends with unwatch() or the next fill(). Costs no system call.
  void watch_end(Waiter on_end);
  void unwatch();
  // True when the peer has ended the stream or it broke, as far as is known without a system call.
  bool is_ended() const { return read_result_.ready && (read_result_.failed || read_result_.size == 0); }
  bool is_broken() const { return read_result_.ready && read_result_.failed; }

  // The same as the kernel has told it, whoever reads what came before that end.
  // What has arrived so far may be somebody's replay of what was sent before: TLS 1.3 early data of a handshake that is not complete yet
  // (RFC 8446 8).
  virtual bool is_early() const { return false; }
  virtual bool has_peer_ended() const = 0;

  // For fill(): how long from now, whatever happens meanwhile; 0 for ever. Stays until changed.
  void set_read_timeout(Duration timeout);
  // For every write(): how long the peer may take nothing; 0 for ever.
  void set_write_timeout(Duration timeout) { write_timeout_ = timeout; }

  // Wakes a waiting fill() with kCancelled. The stream stays usable.
  void interrupt_fill();

  // ---- Output.

  // Sends all pieces: Result<size_t> with their total size. Suspends only when the peer does not keep up.
  // The pieces' bytes (not the array) stay valid until it ends; at most kPiecesMax pieces.
  auto write(std::span<const iovec> pieces) { return WriteAwaiter{*this, pieces}; }
  auto write(std::string_view bytes) {
    const iovec piece{const_cast<char*>(bytes.data()), bytes.size()};
    return WriteAwaiter{*this, {&piece, 1}};
  }

  // The pieces, and after them a part of a file, which does not pass through the process. Only where can_send_files(). The file may be
  // shorter than was said: kTruncated.
  auto write(std::span<const iovec> pieces, const FilePart& file) { return WriteAwaiter{*this, pieces, file}; }
  virtual bool can_send_files() const { return false; }

  // No more output: FIN, or close_notify. Input goes on.
  virtual void shutdown_write() = 0;
  // Ends both ways now; waiting operations end with kCancelled. `reset`: RST, so that the peer can't mistake what it has for all.
  virtual void abort(bool reset) = 0;

  // Waits until the descriptor can be read or written: Result<size_t> of no meaning, or the timeout. Nothing else may be under way in
  // that direction.
  enum class Direction : std::uint8_t { kRead, kWrite };
  auto wait_ready(Direction direction) { return ReadyAwaiter{*this, direction}; }

  Loop& loop() { return loop_; }

 protected:
  // How an operation ended, in few bytes: an idle connection carries two of these.
  struct IoResult {
    std::uint32_t size = 0;
    int os_error = 0;
    ErrorCode code = ErrorCode::kInternal;
    bool ready = false;
    bool failed = false;

    static IoResult success(std::size_t size) { return {static_cast<std::uint32_t>(size), 0, {}, true, false}; }
    static IoResult failure(ErrorCode code, int os_error = 0) { return {0, os_error, code, true, true}; }
  };

  Stream(Loop& loop, Side side);
  virtual ~Stream() = default;
  virtual void retire() { delete this; }

  // Begins one receive; ends, now or later, in complete_read(). Never called while one is under way.
  virtual void start_read() = 0;
  // Begins or goes on sending pending_; ends in complete_write(). Returns true when it ended at once.
  // Ended at once: the result was set by set_write_result().
  virtual bool start_write() = 0;

  // Ends after start_wait() in complete_ready().
  virtual void start_wait(Direction) {}

  void complete_read(IoResult result);
  void complete_write(IoResult result);
  void complete_ready(Direction direction, IoResult result);
  // For a write that ended within start_write().
  void set_write_result(IoResult result) { write_result_ = result; }
  IoResult write_result() const { return write_result_; }
  // A stream built on another leaves it to that one to watch over progress.
  virtual void arm_write_deadline() { write_deadline_.arm(loop_.wheel(), write_timeout_); }
  Duration write_timeout() const { return write_timeout_; }

  bool is_watching() const { return watching_; }

  // Room to receive into; takes a buffer if there is none. Empty when full.
  std::span<char> receive_room();
  void add_received(std::size_t size) { end_ += static_cast<std::uint32_t>(size); }
  // Gives the buffer back when nothing is in it: an idle connection holds none.
  void drop_empty_buffer();
  std::size_t capacity() const { return loop_.buffers().buffer_size(); }

  // What is still to be sent.
  struct Pending {
    iovec pieces[kPiecesMax];
    std::size_t first = 0;
    std::size_t count = 0;
    std::size_t total = 0;
    FilePart file;  // what is still to be sent of it

    void assign(std::span<const iovec> source);
    void assign(std::span<const iovec> source, const FilePart& part) {
      assign(source);
      file = part;
      total += part.size;
    }
    void advance(std::size_t size);
    bool empty() const { return first == count && file.size == 0; }
    bool has_pieces() const { return first != count; }
    std::size_t unsent() const;
    std::span<iovec> rest() { return {pieces + first, count - first}; }
  };
  // Lives in the awaiting frame; set while a write is under way.
  Pending* pending_ = nullptr;

  // For a stream built on another: fill() and write() of `inner` that tell a function. True when the operation ended at once, and
  // `waiter` will not be called; either way its result is taken afterwards, once. `pending` stays in place until then.
  static bool begin_inner_fill(Stream& inner, Waiter waiter);
  static IoResult take_inner_fill(Stream& inner) { return inner.take_result(inner.read_result_); }
  static bool begin_inner_write(Stream& inner, Pending& pending, Waiter waiter);
  static IoResult take_inner_write(Stream& inner) { return inner.take_result(inner.write_result_); }
  // Nobody is told any more, and what was pending is not touched again.
  static void forget_inner(Stream& inner);

 private:
  class FillAwaiter {
   public:
    explicit FillAwaiter(Stream& stream) : stream_(stream) {}
    FillAwaiter(const FillAwaiter&) = delete;
    FillAwaiter& operator=(const FillAwaiter&) = delete;
    // Destroyed while suspended: the task was cancelled.
    ~FillAwaiter() {
      if (suspended_) stream_.read_waiter_ = {};
    }
    bool await_ready() { return stream_.begin_fill(); }
    void await_suspend(std::coroutine_handle<> handle) {
      stream_.read_waiter_ = Waiter::of(handle);
      suspended_ = true;
    }
    Result<std::size_t> await_resume() {
      suspended_ = false;
      return stream_.take(stream_.read_result_);
    }

   private:
    Stream& stream_;
    bool suspended_ = false;
  };

  class WriteAwaiter {
   public:
    WriteAwaiter(Stream& stream, std::span<const iovec> pieces) : stream_(stream) { pending_.assign(pieces); }
    WriteAwaiter(Stream& stream, std::span<const iovec> pieces, const FilePart& file) : stream_(stream) {
      pending_.assign(pieces, file);
    }
    WriteAwaiter(const WriteAwaiter&) = delete;
    WriteAwaiter& operator=(const WriteAwaiter&) = delete;
    ~WriteAwaiter() {
      if (suspended_) stream_.cancel_write();
    }
    bool await_ready() { return stream_.begin_write(pending_); }
    void await_suspend(std::coroutine_handle<> handle) {
      stream_.write_waiter_ = Waiter::of(handle);
      stream_.arm_write_deadline();
      suspended_ = true;
    }
    Result<std::size_t> await_resume() {
      suspended_ = false;
      return stream_.take(stream_.write_result_);
    }

   private:
    Stream& stream_;
    bool suspended_ = false;
    Pending pending_;
  };

  class ReadyAwaiter {
   public:
    ReadyAwaiter(Stream& stream, Direction direction) : stream_(stream), direction_(direction) {}
    ReadyAwaiter(const ReadyAwaiter&) = delete;
    ReadyAwaiter& operator=(const ReadyAwaiter&) = delete;
    ~ReadyAwaiter() {
      if (!suspended_) return;
      if (direction_ == Direction::kWrite) {
        stream_.cancel_write();
      } else {
        stream_.read_waiter_ = {};
      }
    }
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> handle) {
      (direction_ == Direction::kRead ? stream_.read_waiter_ : stream_.write_waiter_) = Waiter::of(handle);
      if (direction_ == Direction::kWrite) stream_.arm_write_deadline();
      suspended_ = true;
      stream_.start_wait(direction_);
    }
    Result<std::size_t> await_resume() {
      suspended_ = false;
      return stream_.take(direction_ == Direction::kRead ? stream_.read_result_ : stream_.write_result_);
    }

   private:
    Stream& stream_;
    Direction direction_;
    bool suspended_ = false;
  };

  void on_read_deadline();
  void on_write_deadline();
  bool begin_fill();
  void read_ahead();
  bool begin_write(Pending& pending);
  void cancel_write();
  IoResult take_result(IoResult& slot);
  Result<std::size_t> take(IoResult& slot);

  Loop& loop_;
  Buffer buffer_;
  std::uint32_t floor_ = 0;
  std::uint32_t begin_ = 0;
  std::uint32_t end_ = 0;
  Waiter read_waiter_;
  Waiter write_waiter_;
  IoResult read_result_;
  IoResult write_result_;
  Duration write_timeout_{0};
  Side side_;
  bool reading_ = false;
  bool watching_ = false;
  bool read_expired_ = false;
  Deadline read_deadline_;
  Deadline write_deadline_;
};

using StreamPtr = std::unique_ptr<Stream, Stream::Deleter>;

}  // namespace rproxy::net
