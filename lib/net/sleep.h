// co_await Sleep(loop, time): goes on when so much time has gone by, up to one tick of the wheel late.
#pragma once

#include <algorithm>
#include <coroutine>

#include "base/units.h"
#include "net/deadline_wheel.h"
#include "net/loop.h"

namespace rproxy::net {

class Sleep {
 public:
  Sleep(Loop& loop, Duration time) : loop_(loop), time_(time) {}
  Sleep(const Sleep&) = delete;
  Sleep& operator=(const Sleep&) = delete;

  bool await_ready() const noexcept { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    // A deadline of no time would never come.
    deadline_.arm(loop_.wheel(), std::max(time_, Duration{1}));
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  Duration time_;
  std::coroutine_handle<> handle_;
  Deadline deadline_{[](void* self) { static_cast<Sleep*>(self)->handle_.resume(); }, this};
};

}  // namespace rproxy::net
