#include "server/control.h"

#include <future>

namespace rproxy::server {

void Control::start(std::shared_ptr<const Generation> generation) {
  std::promise<void> started;
  thread_ = std::thread([this, &started, first = std::move(generation)]() mutable {
    for (const Factory& make : factories_) residents_.push_back(make(loop_));
    tell(first);
    first.reset();
    started.set_value();
    loop_.run();
    while (!residents_.empty()) residents_.pop_back();
  });
  started.get_future().wait();
}

void Control::stop() {
  if (!thread_.joinable()) return;
  post([this] { loop_.stop(); });
  thread_.join();
}

void Control::adopt(std::shared_ptr<const Generation> generation) {
  post([this, next = std::move(generation)] { tell(next); });
}

void Control::tell(const std::shared_ptr<const Generation>& generation) {
  for (const auto& resident : residents_) resident->adopt(generation);
}

}  // namespace rproxy::server
