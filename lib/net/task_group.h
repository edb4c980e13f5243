// The owner of tasks that run on their own: a worker's connections. Destroying the group cancels what still runs.
#pragma once

#include <cstddef>

#include "net/stream.h"
#include "net/task.h"

namespace rproxy::net {

class TaskGroup {
 public:
  TaskGroup() = default;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  ~TaskGroup() { cancel_all(); }

  // Runs the task until its first suspension at once; its frame goes when it ends. A task that throws is logged and ends.
  void spawn(Task<void> task);
  std::size_t size() const { return size_; }
  // Called whenever a task has ended.
  void on_end(Waiter waiter) { on_end_ = waiter; }
  void cancel_all();

 private:
  struct Runner;
  static Runner run(TaskGroup& group, Task<void> task);

  struct Links {
    Links* next = nullptr;
    Links** link = nullptr;
    virtual void destroy() = 0;

   protected:
    ~Links() = default;
  };
  void remove(Links& entry);

  Links* first_ = nullptr;
  std::size_t size_ = 0;
  Waiter on_end_;
};

}  // namespace rproxy::net
