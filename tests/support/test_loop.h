// Runs tasks to their end on a loop of their own, within ten seconds.
#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <utility>

#include "net/loop.h"
#include "net/socket_stream.h"
#include "net/task.h"
#include "net/task_group.h"

namespace rproxy::test {

class TestLoop {
 public:
  explicit TestLoop(std::size_t buffer_size = std::size_t{40} * 1024) : loop_(buffer_size) {
    loop_.on_tick([](void* self) { static_cast<TestLoop*>(self)->on_tick(); }, this);
    tasks_.on_end({[](void* self) { static_cast<TestLoop*>(self)->on_end(); }, this});
  }
  ~TestLoop() { tasks_.cancel_all(); }
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;

  operator net::Loop&() { return loop_; }  // NOLINT(google-explicit-constructor)
  net::Loop& loop() { return loop_; }

  void spawn(net::Task<void> task) { tasks_.spawn(std::move(task)); }
  // Until every task has ended; may be called again.
  void run() {
    if (tasks_.size() == 0) return;
    loop_.run();
  }
  template <typename... Tasks>
  void run(Tasks... tasks) {
    (spawn(std::move(tasks)), ...);
    run();
  }

  // Both ends of a local connection.
  std::pair<net::StreamPtr, net::StreamPtr> connected(int type = SOCK_STREAM) {
    int ends[2];
    if (::socketpair(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
      throw std::runtime_error("socketpair");
    return {net::SocketStream::adopt(loop_, Side::kUpstream, Fd(ends[0])),
            net::SocketStream::adopt(loop_, Side::kClient, Fd(ends[1]))};
  }

 private:
  static constexpr int kTicksMax = 200;

  void on_tick() {
    if (++ticks_ < kTicksMax) return;
    ADD_FAILURE() << "still not done after ten seconds";
    loop_.stop();
  }
  void on_end() {
    if (tasks_.size() == 0) loop_.stop();
  }

  net::Loop loop_;
  net::TaskGroup tasks_;
  int ticks_ = 0;
};

}  // namespace rproxy::test
