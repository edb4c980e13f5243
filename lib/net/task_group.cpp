#include "net/task_group.h"

#include "base/log.h"

namespace rproxy::net {

struct TaskGroup::Runner {
  struct promise_type final : Pooled, Links {
    TaskGroup& group;

    promise_type(TaskGroup& owner, Task<void>&) : group(owner) {
      next = group.first_;
      link = &group.first_;
      if (next != nullptr) next->link = &next;
      group.first_ = this;
      ++group.size_;
    }

    Runner get_return_object() { return {}; }
    std::suspend_never initial_suspend() noexcept { return {}; }

    struct End {
      bool await_ready() noexcept { return false; }
      void await_suspend(std::coroutine_handle<promise_type> self) noexcept {
        TaskGroup& group = self.promise().group;
        group.remove(self.promise());
        self.destroy();
        if (group.on_end_) group.on_end_();
      }
      void await_resume() noexcept {}
    };
    End final_suspend() noexcept { return {}; }
    void return_void() noexcept {}
    // A broken invariant of one connection ends that connection alone.
    void unhandled_exception() noexcept {
      try {
        throw;
      } catch (const std::exception& error) {
        log::error("connection ended by an internal error: {}", error.what());
      } catch (...) {
        log::error("connection ended by an internal error");
      }
    }
    void destroy() override { std::coroutine_handle<promise_type>::from_promise(*this).destroy(); }
  };
};

TaskGroup::Runner TaskGroup::run(TaskGroup&, Task<void> task) { co_await std::move(task); }

void TaskGroup::spawn(Task<void> task) { run(*this, std::move(task)); }

void TaskGroup::remove(Links& entry) {
  *entry.link = entry.next;
  if (entry.next != nullptr) entry.next->link = entry.link;
  --size_;
}

void TaskGroup::cancel_all() {
  while (first_ != nullptr) {
    Links& entry = *first_;
    remove(entry);
    entry.destroy();
  }
}

}  // namespace rproxy::net
