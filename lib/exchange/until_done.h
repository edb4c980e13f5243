// Waiting for an answer, but not for a client that has gone.
#pragma once

#include <coroutine>
#include <utility>

#include "base/units.h"
#include "net/loop.h"
#include "net/stream.h"
#include "net/task.h"

namespace rproxy::exchange {

// co_await gives true when the child has ended, false when the client has gone first: at once if the connection broke, `grace` after an
// orderly end, which may be only the sending side's (RFC 9112 9.6).
template <typename T>
class UntilDone {
 public:
  UntilDone(net::Child<T>& child, net::Stream& stream, Duration grace)
      : child_(child),
        stream_(stream),
        grace_(grace),
        deadline_([](void* self) { static_cast<UntilDone*>(self)->look(); }, this) {}
  UntilDone(const UntilDone&) = delete;
  UntilDone& operator=(const UntilDone&) = delete;
  ~UntilDone() { stream_.unwatch(); }

  bool await_ready() const { return child_.is_done(); }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    child_.continue_with(handle);
    stream_.watch_end({[](void* self) { static_cast<UntilDone*>(self)->on_end(); }, this});
  }
  bool await_resume() {
    stream_.unwatch();
    return child_.is_done();
  }

 private:
  void on_end() {
    if (stream_.is_broken()) {
      leave();
    } else {
      deadline_.arm(stream_.loop().wheel(), grace_);
    }
  }
  // After requests sent ahead that fill the buffer nothing is received, and only the kernel knows of an end.
  void look() {
    if (stream_.is_ended() || stream_.has_peer_ended()) return leave();
    deadline_.arm(stream_.loop().wheel(), grace_);
  }
  void leave() {
    child_.continue_with(std::noop_coroutine());
    handle_.resume();
  }

  net::Child<T>& child_;
  net::Stream& stream_;
  Duration grace_;
  net::Deadline deadline_;
  std::coroutine_handle<> handle_;
};

// co_await gives true when the child has ended, false when the time was up first. `patience` 0: for ever.
template <typename T>
class UntilDoneOrLate {
 public:
  UntilDoneOrLate(net::Child<T>& child, net::DeadlineWheel& wheel, Duration patience)
      : child_(child),
        wheel_(wheel),
        patience_(patience),
        deadline_([](void* self) { static_cast<UntilDoneOrLate*>(self)->leave(); }, this) {}
  UntilDoneOrLate(const UntilDoneOrLate&) = delete;
  UntilDoneOrLate& operator=(const UntilDoneOrLate&) = delete;
  ~UntilDoneOrLate() = default;

  bool await_ready() const { return child_.is_done(); }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    child_.continue_with(handle);
    deadline_.arm(wheel_, patience_);
  }
  bool await_resume() {
    deadline_.disarm();
    return child_.is_done();
  }

 private:
  void leave() {
    child_.continue_with(std::noop_coroutine());
    handle_.resume();
  }

  net::Child<T>& child_;
  net::DeadlineWheel& wheel_;
  Duration patience_;
  net::Deadline deadline_;
  std::coroutine_handle<> handle_;
};

// The same to the millisecond, as far as that makes a difference: a long patience may last a tick more.
template <typename T>
class UntilDoneOrDue {
 public:
  UntilDoneOrDue(net::Child<T>& child, net::Loop& loop, Duration patience)
      : child_(child), loop_(loop), patience_(patience), alarm_(&leave, this), deadline_(&leave, this) {}
  UntilDoneOrDue(const UntilDoneOrDue&) = delete;
  UntilDoneOrDue& operator=(const UntilDoneOrDue&) = delete;
  ~UntilDoneOrDue() = default;

  bool await_ready() const { return child_.is_done(); }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    child_.continue_with(handle);
    if (patience_ < kExactBelow) {
      alarm_.arm(loop_.alarms(), loop_.now() + patience_);
    } else {
      deadline_.arm(loop_.wheel(), patience_);
    }
  }
  bool await_resume() {
    alarm_.disarm();
    deadline_.disarm();
    return child_.is_done();
  }

 private:
  static constexpr Duration kExactBelow = 10 * net::DeadlineWheel::kTick;

  static void leave(void* self) {
    auto& waiting = *static_cast<UntilDoneOrDue*>(self);
    waiting.child_.continue_with(std::noop_coroutine());
    waiting.handle_.resume();
  }

  net::Child<T>& child_;
  net::Loop& loop_;
  Duration patience_;
  net::Alarm alarm_;
  net::Deadline deadline_;
  std::coroutine_handle<> handle_;
};

// co_await ends when one of both children has.
template <typename T>
class UntilEitherDone {
 public:
  UntilEitherDone(net::Child<T>& first, net::Child<T>& second) : first_(first), second_(second) {}
  UntilEitherDone(const UntilEitherDone&) = delete;
  UntilEitherDone& operator=(const UntilEitherDone&) = delete;
  ~UntilEitherDone() = default;

  bool await_ready() const { return first_.is_done() || second_.is_done(); }
  void await_suspend(std::coroutine_handle<> handle) {
    first_.continue_with(handle);
    second_.continue_with(handle);
  }
  void await_resume() {
    first_.continue_with(std::noop_coroutine());
    second_.continue_with(std::noop_coroutine());
  }

 private:
  net::Child<T>& first_;
  net::Child<T>& second_;
};

// The first while the request's content is read from the stream by somebody else, who notices an end in its midst. What follows the
// content nobody reads: whether the client has gone is looked at every `period`, once `content_is_read` says so.
template <typename T>
class UntilDoneOrGone {
 public:
  struct Question {
    bool (*function)(const void*);
    const void* argument;
  };

  UntilDoneOrGone(net::Child<T>& child, net::Stream& stream, Question content_is_read, Duration period)
      : child_(child),
        stream_(stream),
        content_is_read_(content_is_read),
        period_(period),
        deadline_([](void* self) { static_cast<UntilDoneOrGone*>(self)->look(); }, this) {}
  UntilDoneOrGone(const UntilDoneOrGone&) = delete;
  UntilDoneOrGone& operator=(const UntilDoneOrGone&) = delete;
  ~UntilDoneOrGone() = default;

  bool await_ready() const { return child_.is_done(); }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    child_.continue_with(handle);
    deadline_.arm(stream_.loop().wheel(), period_);
  }
  bool await_resume() {
    deadline_.disarm();
    return child_.is_done();
  }

 private:
  void look() {
    const bool gone = stream_.has_peer_ended() && content_is_read_.function(content_is_read_.argument);
    // Seen twice: an orderly end is given one more period, as it may be only the sending side's.
    if (!gone || !std::exchange(seen_gone_, true)) return deadline_.arm(stream_.loop().wheel(), period_);
    child_.continue_with(std::noop_coroutine());
    handle_.resume();
  }

  net::Child<T>& child_;
  net::Stream& stream_;
  Question content_is_read_;
  Duration period_;
  net::Deadline deadline_;
  std::coroutine_handle<> handle_;
  bool seen_gone_ = false;
};

}  // namespace rproxy::exchange
