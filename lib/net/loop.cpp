#include "net/loop.h"

namespace rproxy::net {

Loop::Loop(std::size_t buffer_size) : buffers_(buffer_size) {}

void Loop::schedule_tick() {
  ticker_.expires_after(DeadlineWheel::kTick);
  ticker_.async_wait([this](const asio::error_code& error) {
    if (error) return;
    wheel_.advance(static_cast<std::uint64_t>((Clock::now() - started_) / DeadlineWheel::kTick));
    if (tick_callback_ != nullptr) tick_callback_(tick_owner_);
    schedule_tick();
  });
}

void Loop::run() {
  schedule_tick();
  io_.run();
}

void Loop::drain_handlers() {
  ticker_.cancel();
  // A handler may stop the loop; those behind it have memory to give back all the same.
  do {
    io_.restart();
  } while (io_.poll() > 0);
}

}  // namespace rproxy::net
