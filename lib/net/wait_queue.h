// Coroutines that wait for one event, each of which may be destroyed meanwhile.
#pragma once

#include <coroutine>

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
  // The one that has waited longest, where there is one.
  void wake_one() {
    if (first_ == nullptr) return;
    Waiter* const waiter = first_;
    waiter->unlink();
    waiter->handle.resume();
  }
  bool empty() const { return first_ == nullptr; }

  auto operator co_await() { return Waiter{*this}; }

 private:
  struct Waiter {
    explicit Waiter(WaitQueue& owner) : queue(owner) {}
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
    }
    void await_resume() const noexcept {}
    void unlink() {
      if (!linked) return;
      (older != nullptr ? older->newer : queue.first_) = newer;
      (newer != nullptr ? newer->older : queue.last_) = older;
      linked = false;
    }

    WaitQueue& queue;
    std::coroutine_handle<> handle;
    Waiter* older = nullptr;
    Waiter* newer = nullptr;
    bool linked = false;
  };

  Waiter* first_ = nullptr;
  Waiter* last_ = nullptr;
};

}  // namespace rproxy::net
