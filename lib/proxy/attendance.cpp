#include "proxy/attendance.h"

#include <utility>

namespace rproxy::proxy {

Attendance::Attendance(net::Loop& loop, storage::Flight& flight, CacheFetch* own)
    : wakeup_(loop), flight_(flight), own_(own) {
  if (own_ != nullptr) own_->set_listener(&wakeup_);
}

Attendance::~Attendance() {
  if (own_ != nullptr) own_->set_listener(nullptr);
  stop_listening();
  if (was_told_ && flight_.entry() != nullptr) flight_.entry()->content()->release();
}

net::Task<void> Attendance::wait(exchange::Request& request) {
  while ((is_listening_ = flight_.listen(wakeup_))) {
    co_await wakeup_.told();
    stop_listening();
    while (own_ != nullptr && own_->has_interim()) {
      http::ResponseHead head = own_->take_interim();
      if (request.interim != nullptr) (void)co_await request.interim->interim(head);
    }
  }
}

void Attendance::stop_listening() {
  if (std::exchange(is_listening_, false) && !flight_.forget(wakeup_)) was_told_ = true;
}

}  // namespace rproxy::proxy
