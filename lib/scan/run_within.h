// How a program that does nothing else waits for a task.
#pragma once

#include <optional>
#include <utility>

#include "base/units.h"
#include "net/loop.h"
#include "net/task_group.h"

namespace rproxy::scan {

// Runs the loop until the task has ended, or `limit` is over: then it is cancelled, and false.
inline bool run_within(net::Loop& loop, Duration limit, net::Task<void> task) {
  struct Watch {
    net::Loop& loop;
    TimePoint end;
    net::TaskGroup tasks;

    void look() {
      if (tasks.size() == 0 || Clock::now() >= end) loop.stop();
    }
  };
  Watch watch{loop, Clock::now() + limit, {}};
  watch.tasks.on_end({[](void* self) { static_cast<Watch*>(self)->look(); }, &watch});
  loop.on_tick([](void* self) { static_cast<Watch*>(self)->look(); }, &watch);
  watch.tasks.spawn(std::move(task));
  if (watch.tasks.size() > 0) loop.run();
  loop.on_tick(nullptr, nullptr);
  return watch.tasks.size() == 0;
}

}  // namespace rproxy::scan
