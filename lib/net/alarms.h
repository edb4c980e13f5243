// What is due to the millisecond. A deadline on the wheel costs less, for what may be a tick late.
#pragma once

#include <functional>
#include <map>
#include <optional>

#include "base/memory_pool.h"
#include "base/units.h"

namespace rproxy::net {

class Alarms;

// Goes off once, unless disarmed. Disarms itself when destroyed.
class Alarm {
 public:
  using Callback = void (*)(void* owner);

  Alarm(Callback callback, void* owner) : callback_(callback), owner_(owner) {}
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;
  ~Alarm() { disarm(); }

  void arm(Alarms& alarms, TimePoint due);
  void disarm();

 private:
  friend class Alarms;
  using Entries = std::multimap<TimePoint, Alarm*, std::less<>, PoolAllocator<std::pair<const TimePoint, Alarm*>>>;

  Callback callback_;
  void* owner_;
  Alarms* alarms_ = nullptr;  // null: not armed
  Entries::iterator at_;
};

class Alarms {
 public:
  // When the first is due.
  std::optional<TimePoint> next() const;
  // Those due by now, in their order. Callbacks may arm and destroy others.
  void fire(TimePoint now);

 private:
  friend class Alarm;
  Alarm::Entries entries_;
};

}  // namespace rproxy::net
