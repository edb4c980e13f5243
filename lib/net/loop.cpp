#include "net/loop.h"

#include <sys/eventfd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

namespace rproxy::net {
namespace {

constexpr int kPostedMax = 256;
constexpr Clock::duration kNotableLag = std::chrono::milliseconds(1);

}  // namespace

Loop::Wakener::Wakener(Loop& loop) : loop_(loop), event_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!event_ || !loop.poller_.add(event_.get(), EPOLLIN, *this)) {
    throw std::system_error(errno, std::system_category(), "eventfd");
  }
}

void Loop::Wakener::on_ready(std::uint32_t) {
  eventfd_t count = 0;
  ::eventfd_read(event_.get(), &count);
  loop_.run_posted();
}

void Loop::Wakener::wake() const { ::eventfd_write(event_.get(), 1); }

Loop::Loop(std::size_t buffer_size, std::size_t number) : number_(number), buffers_(buffer_size) {}

void Loop::run() {
  stopped_ = false;
  while (!stopped_) {
    // Rounded up: woken a moment early, the loop would turn without doing anything.
    TimePoint end = ticked_ + DeadlineWheel::kTick;
    if (const auto due = alarms_.next()) end = std::min(end, *due);
    const auto left = std::chrono::ceil<Duration>(end - now());
    turn(std::clamp(left, Duration{0}, DeadlineWheel::kTick));
  }
}

void Loop::turn(Duration longest) {
  // Read only where there is something to fade.
  const bool has_lag = lag_ > kNotableLag;
  const TimePoint free_since = has_lag ? Clock::now() : TimePoint{};
  poller_.wait(longest);
  const TimePoint began = now();
  if (has_lag) lag_ -= std::min(lag_, began - free_since);
  // After a stall the events come before the deadlines, which they may push on; their own must not count from before the stall.
  if (now() - ticked_ >= DeadlineWheel::kTick) wheel_.note(tick());
  poller_.call_ready();
  alarms_.fire(now());
  if (now() - ticked_ >= DeadlineWheel::kTick) {
    ticked_ = now();
    wall_at_tick_ = std::chrono::system_clock::now();
    wheel_.advance(tick());
    if (tick_callback_ != nullptr) tick_callback_(tick_owner_);
  }
  poller_.call_at_end();
  // Of the last call's beginning: one that takes long by itself shows in the next round.
  lag_ = std::max(now() - began, lag_ - lag_ / 8);
}

void Loop::run_posted() {
  io_.restart();
  for (int i = 0; i < kPostedMax; ++i) {
    if (io_.poll_one() == 0) return;
  }
  // The rest in the next round: whoever posts again and again keeps nobody else waiting.
  wake();
}

}  // namespace rproxy::net
