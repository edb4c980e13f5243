#include "server/config_watch.h"

#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace rproxy::server {
namespace {

constexpr std::uint32_t kEvents =
    IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;

}  // namespace

ConfigWatch::ConfigWatch(net::Loop& loop, std::function<void()> on_change)
    : loop_(loop),
      on_change_(std::move(on_change)),
      inotify_(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC)),
      settled_([](void* self) { static_cast<ConfigWatch*>(self)->look(); }, this) {
  if (!inotify_ || !loop_.poller().add(inotify_.get(), EPOLLIN, *this)) {
    log::error("cannot watch the configuration: {}", std::strerror(errno));
  }
}

ConfigWatch::~ConfigWatch() { loop_.poller().forget(*this); }

void ConfigWatch::watch(config::Sources sources) {
  sources_ = std::move(sources);
  std::vector<int> watches;
  for (const auto& directory : config::directories_of(sources_)) {
    const int number = ::inotify_add_watch(inotify_.get(), directory.c_str(), kEvents);
    if (number < 0) {
      log::warn("cannot watch {}: {}", directory, std::strerror(errno));
    } else {
      watches.push_back(number);
    }
  }
  for (const int number : watches_) {
    if (std::ranges::find(watches, number) == watches.end()) ::inotify_rm_watch(inotify_.get(), number);
  }
  watches_ = std::move(watches);
  // What has changed since they were read has brought no event.
  settled_.arm(loop_.wheel(), kSettle);
}

void ConfigWatch::on_ready(std::uint32_t) {
  alignas(inotify_event) std::array<char, 4096> events;
  while (::read(inotify_.get(), events.data(), events.size()) > 0) {
  }
  // Not put off by what else goes on in these directories.
  if (!settled_.is_armed()) settled_.arm(loop_.wheel(), kSettle);
}

void ConfigWatch::look() {
  if (sources_.files.empty() || !config::has_changed(sources_)) return;
  sources_ = {};
  on_change_();
}

}  // namespace rproxy::server
