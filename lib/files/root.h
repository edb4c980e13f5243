// A directory of files to serve, and the one way to open what is below it: nothing above it can be named, nor reached by a link.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/disk_threads.h"
#include "base/fd.h"
#include "base/result.h"
#include "base/units.h"
#include "files/options.h"

namespace rproxy::files {

// Any thread.
class Root : public std::enable_shared_from_this<Root> {
 public:
  // kFile, with errno and path. `may_ask_system`: else as on one without openat2(), for tests.
  static Result<std::shared_ptr<Root>> open(std::string path, Symlinks symlinks, bool may_ask_system = true);

  enum class Wait : std::uint8_t { kNever, kMay };
  // `name` as name_of() has it; "" is the root itself. -1 and errno: EAGAIN where a disk would have to be waited for, EXDEV and ELOOP for
  // links that are not to be followed. Opening does not wait for the other end of a FIFO.
  int open_below(const std::string& name, Wait wait, int flags) const;

  // About once a second: has a thread look whether the path leads to another directory by now, as where a deployment has changed a link.
  void watch(TimePoint now, DiskThreads& threads);
  // Changes whenever it does.
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }

  const std::string& path() const { return path_; }
  // Says in the log what a link does that is not followed; once.
  void tell_of_link(const std::string& name) const;

 private:
  Root(std::string path, Symlinks symlinks) : path_(std::move(path)), symlinks_(symlinks) {}

  void look_again();
  std::shared_ptr<const Fd> directory() const;
  int open_by_system(int directory, const std::string& name, Wait wait, int flags) const;
  int open_by_steps(int directory, const std::string& name, int flags) const;

  const std::string path_;
  const Symlinks symlinks_;
  bool has_openat2_ = false;
  bool has_cached_ = false;  // it can look without waiting
  mutable std::mutex mutex_;
  std::shared_ptr<const Fd> directory_;  // null: the path leads nowhere
  std::atomic<std::uint64_t> version_{0};
  std::atomic<TimePoint::rep> due_{0};
  std::atomic<bool> is_looking_{false};  // one thread at most waits for a disk that does not answer
  mutable std::atomic<bool> has_told_of_link_{false};
};

}  // namespace rproxy::files
