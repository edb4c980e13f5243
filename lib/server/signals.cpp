#include "server/signals.h"

#include <unistd.h>

#include <algorithm>

namespace rproxy::server {

Signals::Signals() {
  sigemptyset(&set_);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1, SIGHUP, kWake}) sigaddset(&set_, signal);
  ::pthread_sigmask(SIG_BLOCK, &set_, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);  // a limit on files is an error of the write
}

std::optional<int> Signals::wait(std::optional<TimePoint> deadline) {
  if (!deadline) {
    int signal = 0;
    return ::sigwait(&set_, &signal) == 0 ? std::optional(signal) : std::nullopt;
  }
  const auto left = std::max(std::chrono::nanoseconds{0}, std::chrono::nanoseconds(*deadline - Clock::now()));
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(left);
  const timespec timeout{seconds.count(), (left - seconds).count()};
  const int signal = ::sigtimedwait(&set_, nullptr, &timeout);
  return signal > 0 ? std::optional(signal) : std::nullopt;
}

void Signals::wake() { ::kill(::getpid(), kWake); }

}  // namespace rproxy::server
