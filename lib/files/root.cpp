#include "files/root.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <utility>

#include "base/log.h"

namespace rproxy::files {
namespace {

constexpr std::chrono::seconds kBetweenLooks{1};
// A name with "..", which only links have here, can be raced by a rename (openat2(2)).
constexpr int kTriesMax = 8;

int openat2(int directory, const char* name, const open_how& how) {
  return static_cast<int>(::syscall(SYS_openat2, directory, name, &how, sizeof how));
}

std::uint64_t resolve_flags(Symlinks symlinks) {
  switch (symlinks) {
    case Symlinks::kFollow:
      return RESOLVE_NO_MAGICLINKS;
    case Symlinks::kRefuse:
      return RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    case Symlinks::kBeneath:
      break;
  }
  return RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
}

bool can_resolve(int directory, std::uint64_t resolve) {
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = resolve;
  const Fd opened(openat2(directory, ".", how));
  return opened || errno == EAGAIN;
}

Fd open_directory(const std::string& path) { return Fd(::open(path.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)); }

bool is_same(const Fd& a, const Fd& b) {
  struct stat first {};
  struct stat second {};
  return ::fstat(a.get(), &first) == 0 && ::fstat(b.get(), &second) == 0 && first.st_dev == second.st_dev &&
         first.st_ino == second.st_ino;
}

}  // namespace

Result<std::shared_ptr<Root>> Root::open(std::string path, Symlinks symlinks, bool may_ask_system) {
  Fd directory = open_directory(path);
  if (!directory) return fail(Error(ErrorCode::kFile, Side::kLocal, Retry::kNever, errno, std::move(path)));
  std::shared_ptr<Root> root(new Root(std::move(path), symlinks));
  // Before Linux 5.6 there is none, and some sandboxes know it as little; looking without waiting came with 5.12.
  root->has_openat2_ = may_ask_system && can_resolve(directory.get(), resolve_flags(symlinks));
  root->has_cached_ = root->has_openat2_ && can_resolve(directory.get(), resolve_flags(symlinks) | RESOLVE_CACHED);
  if (!root->has_openat2_ && symlinks == Symlinks::kBeneath) {
    log::warn("files: {}: this system can't tell where a link leads (openat2): none is followed", root->path_);
  }
  root->directory_ = std::make_shared<const Fd>(std::move(directory));
  return root;
}

std::shared_ptr<const Fd> Root::directory() const {
  const std::lock_guard lock(mutex_);
  return directory_;
}

int Root::open_below(const std::string& name, Wait wait, int flags) const {
  const auto directory = this->directory();
  if (directory == nullptr) {
    errno = ENOENT;
    return -1;
  }
  const std::string& wanted = name.empty() ? "." : name;
  // openat2() takes no flag that means nothing.
  flags |= (flags & O_PATH) != 0 ? O_CLOEXEC : O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
  if (has_openat2_) return open_by_system(directory->get(), wanted, wait, flags);
  if (wait == Wait::kNever) {
    errno = EAGAIN;
    return -1;
  }
  if (symlinks_ == Symlinks::kFollow) return ::openat(directory->get(), wanted.c_str(), flags);
  return open_by_steps(directory->get(), wanted, flags);
}

int Root::open_by_system(int directory, const std::string& name, Wait wait, int flags) const {
  if (wait == Wait::kNever && !has_cached_) {
    errno = EAGAIN;
    return -1;
  }
  open_how how{};
  how.flags = static_cast<std::uint64_t>(flags);
  how.resolve = resolve_flags(symlinks_) | (wait == Wait::kNever ? RESOLVE_CACHED : 0);
  for (int i = 1;; ++i) {
    const int opened = openat2(directory, name.c_str(), how);
    if (opened >= 0 || errno != EAGAIN || wait == Wait::kNever || i == kTriesMax) return opened;
  }
}

// One segment at a time, and no link: what openat2() would tell of them can't be had.
int Root::open_by_steps(int directory, const std::string& name, int flags) const {
  Fd held;
  std::size_t begin = 0;
  for (;;) {
    const auto slash = name.find('/', begin);
    const std::string segment = name.substr(begin, slash - begin);
    const bool is_last = slash == std::string::npos || slash + 1 == name.size();
    const int as_directory = slash != std::string::npos ? O_DIRECTORY : 0;
    const int how = is_last ? flags | as_directory : O_PATH | O_CLOEXEC | O_DIRECTORY;
    Fd opened(::openat(directory, segment.c_str(), how | O_NOFOLLOW));
    if (is_last || !opened) return opened.release();
    held = std::move(opened);
    directory = held.get();
    begin = slash + 1;
  }
}

void Root::watch(TimePoint now, DiskThreads& threads) {
  auto due = due_.load(std::memory_order_relaxed);
  const auto at = now.time_since_epoch();
  if (at.count() < due) return;
  // The first time it has just been opened.
  const auto next = (at + std::chrono::duration_cast<TimePoint::duration>(kBetweenLooks)).count();
  if (!due_.compare_exchange_strong(due, next, std::memory_order_relaxed) || due == 0) return;
  if (is_looking_.exchange(true, std::memory_order_relaxed)) return;
  const bool is_posted = threads.post([self = shared_from_this()] {
    self->look_again();
    self->is_looking_.store(false, std::memory_order_relaxed);
  });
  if (!is_posted) is_looking_.store(false, std::memory_order_relaxed);
}

void Root::look_again() {
  Fd found = open_directory(path_);
  const int error = errno;
  const auto before = directory();
  if (!found && before == nullptr) return;
  if (found && before != nullptr && is_same(found, *before)) return;
  if (!found) {
    log::warn("files: {} has gone ({}): nothing is served of it", path_,
              describe(Error(ErrorCode::kFile, Side::kLocal, Retry::kNever, error)));
  } else {
    log::info("files: {} leads to another directory than before", path_);
  }
  {
    const std::lock_guard lock(mutex_);
    directory_ = found ? std::make_shared<const Fd>(std::move(found)) : nullptr;
  }
  version_.fetch_add(1, std::memory_order_release);
}

void Root::tell_of_link(const std::string& name) const {
  if (has_told_of_link_.exchange(true, std::memory_order_relaxed)) return;
  log::warn(
      "files: {}: {} leads by a link where files are not served from; symlinks = \"follow\" would let it. "
      "Others are not told of",
      path_, name);
}

}  // namespace rproxy::files
