#include "proxy/wakeup.h"

#include <utility>

namespace rproxy::proxy {

Wakeup::Wakeup(net::Loop& loop) : loop_(loop), link_(std::make_shared<Link>(this)) {}

Wakeup::~Wakeup() {
  link_->wakeup = nullptr;
  loop_.poller().forget(*this);
}

// Whoever tells has other things to do and holds a lock: it goes on at the end of the round.
void Wakeup::tell() {
  if (std::this_thread::get_id() != thread_) {
    return loop_.post([link = link_] {
      if (link->wakeup != nullptr) link->wakeup->on_ready(0);
    });
  }
  if (!std::exchange(is_asked_for_, true)) loop_.poller().at_end(*this);
}

void Wakeup::on_ready(std::uint32_t) {
  is_asked_for_ = false;
  is_told_ = true;
  if (const auto handle = std::exchange(waiting_, nullptr)) handle.resume();
}

}  // namespace rproxy::proxy
