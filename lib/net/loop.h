// What one worker's connections share: the poller, the clock, the deadline wheel and the buffers, and an Asio context for everything
// that is not a connection's bytes. One thread only.
//
// Connections stand beside Asio, not on it: its reactor does not tell that a peer has ended its side, so that each message would cost
// one more receive to learn that nothing more is there.
#pragma once

#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <coroutine>
#include <cstddef>
#include <utility>

#include "base/units.h"
#include "net/alarms.h"
#include "net/buffer_pool.h"
#include "net/deadline_wheel.h"
#include "net/poller.h"

namespace rproxy::net {

class Loop {
 public:
  // `number` is another one for each of the process's loops that count something.
  explicit Loop(std::size_t buffer_size, std::size_t number = 0);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  Poller& poller() { return poller_; }
  DeadlineWheel& wheel() { return wheel_; }
  Alarms& alarms() { return alarms_; }
  BufferPool& buffers() { return buffers_; }
  // By which metrics::Sharded knows its thread.
  std::size_t number() const { return number_; }

  // The time when what is being done now began: the event's for a connection's, the tick's for a deadline's. Reading the clock for each
  // step of a request costs more than the steps do.
  TimePoint now() const { return poller_.now(); }
  // The same by the wall clock, as far as that has not been set within the last tick.
  std::chrono::system_clock::time_point wall_now() const {
    return wall_at_tick_ + std::chrono::duration_cast<std::chrono::system_clock::duration>(now() - ticked_);
  }

  // How long others wait for their turn just now: the longest round of late, fading with each that is
  // shorter, and with the time that nobody wanted one.
  Clock::duration lag() const { return lag_; }

  // Called after every tick of the wheel (kTick apart). Set once before run().
  void on_tick(void (*callback)(void*), void* owner) {
    tick_callback_ = callback;
    tick_owner_ = owner;
  }

  // From any thread: `function` is called on the loop's.
  template <typename Function>
  void post(Function function) {
    asio::post(io_, std::move(function));
    wake();
  }

  // Until stop().
  void run();
  // One round without waiting.
  void poll() { turn(Duration{0}); }
  // What was posted, for who drives its parts himself.
  void run_posted();
  // From this loop's thread.
  void stop() { stopped_ = true; }

 private:
  class Wakener final : public Poller::Watcher {
   public:
    explicit Wakener(Loop& loop);
    void on_ready(std::uint32_t events) override;
    void wake() const;

   private:
    Loop& loop_;
    Fd event_;
  };

  void wake() { wakener_.wake(); }
  void turn(Duration longest);
  // Of the wheel, by now().
  std::uint64_t tick() const { return static_cast<std::uint64_t>((now() - started_) / DeadlineWheel::kTick); }

  std::size_t number_;
  Poller poller_;
  asio::io_context io_{1};
  Wakener wakener_{*this};
  DeadlineWheel wheel_;
  Alarms alarms_;
  BufferPool buffers_;
  TimePoint started_ = Clock::now();
  TimePoint ticked_ = started_;
  Clock::duration lag_{0};
  std::chrono::system_clock::time_point wall_at_tick_ = std::chrono::system_clock::now();
  void (*tick_callback_)(void*) = nullptr;
  void* tick_owner_ = nullptr;
  bool stopped_ = false;
};

// co_await goes on in the loop's next round, when others have had their turn.
class NextTurn final : private Poller::Watcher {
 public:
  explicit NextTurn(Loop& loop) : poller_(loop.poller()) {}
  NextTurn(const NextTurn&) = delete;
  NextTurn& operator=(const NextTurn&) = delete;
  ~NextTurn() { poller_.forget(*this); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    poller_.again(*this);
  }
  void await_resume() const noexcept {}

 private:
  void on_ready(std::uint32_t) override { handle_.resume(); }

  Poller& poller_;
  std::coroutine_handle<> handle_;
};

// co_await goes on at the end of this round, when what is to be done at once has been done.
class EndOfTurn final : private Poller::Watcher {
 public:
  explicit EndOfTurn(Loop& loop) : poller_(loop.poller()) {}
  EndOfTurn(const EndOfTurn&) = delete;
  EndOfTurn& operator=(const EndOfTurn&) = delete;
  ~EndOfTurn() { poller_.forget(*this); }

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    poller_.at_end(*this);
  }
  void await_resume() const noexcept {}

 private:
  void on_ready(std::uint32_t) override { handle_.resume(); }

  Poller& poller_;
  std::coroutine_handle<> handle_;
};

}  // namespace rproxy::net
