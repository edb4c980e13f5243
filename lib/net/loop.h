// What one worker's connections share: the io_context, the clock, the deadline wheel and the buffers. One thread only.
#pragma once

#include <asio/io_context.hpp>
#include <asio/steady_timer.hpp>
#include <cstddef>
#include <cstdint>

#include "base/units.h"
#include "net/buffer_pool.h"
#include "net/deadline_wheel.h"

namespace rproxy::net {

class Loop {
 public:
  using Executor = asio::io_context::executor_type;

  explicit Loop(std::size_t buffer_size);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  asio::io_context& io() { return io_; }
  Executor executor() { return io_.get_executor(); }
  DeadlineWheel& wheel() { return wheel_; }
  BufferPool& buffers() { return buffers_; }

  // Called after every tick of the wheel (kTick apart). Set once before run().
  void on_tick(void (*callback)(void*), void* owner) {
    tick_callback_ = callback;
    tick_owner_ = owner;
  }

  // Runs until stop(); the tick keeps it alive.
  void run();
  // Lets what is ready finish, after run() returned: cancelled operations release what they hold.
  void drain_handlers();
  // From this loop's thread.
  void stop() { io_.stop(); }

 private:
  void schedule_tick();

  // The hint drops the reactor's locks: descriptors of this context are touched by this thread alone, while post() stays safe from any.
  asio::io_context io_{ASIO_CONCURRENCY_HINT_UNSAFE_IO};
  DeadlineWheel wheel_;
  BufferPool buffers_;
  asio::basic_waitable_timer<Clock, asio::wait_traits<Clock>, Executor> ticker_{io_.get_executor()};
  TimePoint started_ = Clock::now();
  void (*tick_callback_)(void*) = nullptr;
  void* tick_owner_ = nullptr;
};

}  // namespace rproxy::net
