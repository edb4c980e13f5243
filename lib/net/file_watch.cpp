#include "net/file_watch.h"

#include <sys/inotify.h>

#include <array>
#include <filesystem>

namespace rproxy::net {

FileWatch::FileWatch(Loop& loop, const std::string& path)
    : loop_(loop),
      directory_(std::filesystem::absolute(path).parent_path()),
      events_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)) {
  if (events_ && !loop.poller().add(events_.get(), EPOLLIN, *this)) events_.reset();
  add_directory();
}

FileWatch::~FileWatch() { loop_.poller().forget(*this); }

// Again each time: it may not have been there, or be another of that name. Adding what is watched already changes nothing.
void FileWatch::add_directory() {
  if (!events_) return;
  ::inotify_add_watch(events_.get(), directory_.c_str(),
                      IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ONLYDIR);
}

void FileWatch::on_ready(std::uint32_t) {
  alignas(inotify_event) std::array<char, 4096> events;
  bool has_some = false;
  while (::read(events_.get(), events.data(), events.size()) > 0) has_some = true;
  if (!has_some) return;
  has_changed_ = true;
  wake();
}

}  // namespace rproxy::net
