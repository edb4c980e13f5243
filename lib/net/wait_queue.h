// Coroutines that wait for one event, each of which may be destroyed meanwhile.
#pragma once

#include <algorithm>
#include <chrono>
#include <coroutine>

#include "net/loop.h"

namespace rproxy::net {

class WaitQueue {
 public:
  WaitQueue() = default;
  WaitQueue(const WaitQueue&) = delete;
  WaitQueue& operator=(const WaitQueue&) = delete;

  // All that wait go on, one after the other; so does who waits again meanwhile.
  void wake_all() {
    while (first_ != nullptr) {
      Waiter* const waiter = first_;
      waiter->unlink();
      waiter->handle.resume();
    }
  }
  bool empty() const { return first_ == nullptr; }

  // co_await goes on when woken, or at about `end`, whichever is first.
  auto until(Loop& loop, TimePoint end) { return Waiter(*this, loop, end); }

 private:
  struct Waiter {
    Waiter(WaitQueue& owner, Loop& event_loop, TimePoint latest)
        : queue(owner),
          loop(event_loop),
          end(latest),
          deadline([](void* self) { static_cast<Waiter*>(self)->give_up(); }, this) {}
    Waiter(const Waiter&) = delete;
    Waiter& operator=(const Waiter&) = delete;
    ~Waiter() { unlink(); }

    bool await_ready() const noexcept { return false; }
    void await_suspend(std::coroutine_handle<> waiting) {
      handle = waiting;
      older = queue.last_;
      newer = nullptr;
      (older != nullptr ? older->newer : queue.first_) = this;
      queue.last_ = this;
      linked = true;
      if (end == TimePoint::max()) return;
      deadline.arm(loop.wheel(), std::max(std::chrono::ceil<Duration>(end - loop.now()), Duration{1}));
    }
    void give_up() {
      unlink();
      handle.resume();
    }
    void await_resume() const noexcept {}
    void unlink() {
      if (!linked) return;
      (older != nullptr ? older->newer : queue.first_) = newer;
      (newer != nullptr ? newer->older : queue.last_) = older;
      linked = false;
      deadline.disarm();
    }

    WaitQueue& queue;
    Loop& loop;
    TimePoint end;
    Deadline deadline;
    std::coroutine_handle<> handle;
    Waiter* older = nullptr;
    Waiter* newer = nullptr;
    bool linked = false;
  };

  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

}  // namespace rproxy::net
