// Signals of the process, taken by the main thread alone, one at a time, outside any handler.
#pragma once

#include <csignal>
#include <optional>

#include "base/units.h"

namespace rproxy::server {

class Signals {
 public:
  // Before any other thread begins, which would else get some of them.
  Signals();

  // The next one, or nothing at the deadline.
  std::optional<int> wait(std::optional<TimePoint> deadline);

  // From any thread: wait() gives kWake.
  static void wake();
  static constexpr int kWake = SIGUSR2;

 private:
  sigset_t set_;
};

}  // namespace rproxy::server
