// Tells that something may have happened to a file, whether it is written, replaced, or reached by a link that leads elsewhere now.
#pragma once

#include <coroutine>
#include <string>

#include "base/fd.h"
#include "base/units.h"
#include "net/deadline_wheel.h"
#include "net/loop.h"
#include "net/poller.h"

namespace rproxy::net {

class FileWatch final : private Poller::Watcher {
 public:
  // Watches the directory, where that is possible.
  FileWatch(Loop& loop, const std::string& path);
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;
  ~FileWatch();

  // co_await change(longest): until something was closed after writing, made, removed or renamed in the directory, since the last time; or
  // so long, as not every file system tells. One waits at a time.
  auto change(Duration longest) {
    struct Change {
      FileWatch& watch;
      // Not an aggregate: GCC 12 destroys an aggregate's temporary twice within a co_await expression.
      explicit Change(FileWatch& owner) : watch(owner) {}
      Change(const Change&) = delete;
      Change& operator=(const Change&) = delete;
      ~Change() { watch.handle_ = {}; }
      bool await_ready() const noexcept { return watch.has_changed_; }
      void await_suspend(std::coroutine_handle<> handle) { watch.handle_ = handle; }
      void await_resume() const {
        watch.handle_ = {};
        watch.deadline_.disarm();
        watch.has_changed_ = false;
      }
    };
    add_directory();
    deadline_.arm(loop_.wheel(), longest);
    return Change{*this};
  }

 private:
  void on_ready(std::uint32_t) override;
  void add_directory();
  void wake() {
    if (handle_) handle_.resume();
  }

  Loop& loop_;
  std::string directory_;
  Fd events_;
  Deadline deadline_{[](void* self) { static_cast<FileWatch*>(self)->wake(); }, this};
  bool has_changed_ = false;
  std::coroutine_handle<> handle_;
};

}  // namespace rproxy::net
