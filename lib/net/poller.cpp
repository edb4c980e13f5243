#include "net/poller.h"

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace rproxy::net {

Poller::Poller() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) throw std::system_error(errno, std::system_category(), "epoll_create1");
}

bool Poller::add(int descriptor, std::uint32_t events, Watcher& watcher) {
  epoll_event event{};
  event.events = events | EPOLLET;
  event.data.ptr = &watcher;
  return ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, descriptor, &event) == 0;
}

void Poller::remove(int descriptor) { ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, descriptor, nullptr); }

void Poller::forget(Watcher& watcher) {
  for (std::size_t i = next_; i < count_; ++i) {
    if (events_[i].data.ptr == &watcher) events_[i].data.ptr = nullptr;
  }
  for (auto* list : {&again_, &at_end_, &called_})
    std::replace(list->begin(), list->end(), &watcher, static_cast<Watcher*>(nullptr));
}

void Poller::call(Watcher& watcher, std::uint32_t events) {
  now_ = Clock::now();
  watcher.on_ready(events);
}

void Poller::wait(Duration longest) {
  const int timeout = again_.empty() && at_end_.empty() ? static_cast<int>(longest.count()) : 0;
  const int found = ::epoll_wait(epoll_.get(), events_.data(), kBatch, timeout);
  count_ = found > 0 ? static_cast<std::size_t>(found) : 0;
  next_ = 0;
  now_ = Clock::now();
}

void Poller::call_ready() {
  while (next_ < count_) {
    const epoll_event event = events_[next_++];
    if (event.data.ptr != nullptr) call(*static_cast<Watcher*>(event.data.ptr), event.events);
  }
  count_ = next_ = 0;
  now_ = Clock::now();
  call_all(again_);
}

// What one calls at the end may bring work for another, of the same round; but not for ever.
void Poller::call_at_end() {
  constexpr int kTurnsMax = 4;
  for (int turn = 0; turn < kTurnsMax && !at_end_.empty(); ++turn) call_all(at_end_);
}

void Poller::call_all(std::vector<Watcher*>& asked) {
  called_.swap(asked);
  for (std::size_t i = 0; i < called_.size(); ++i) {
    if (Watcher* watcher = called_[i]) call(*watcher, 0);
  }
  called_.clear();
}

}  // namespace rproxy::net
