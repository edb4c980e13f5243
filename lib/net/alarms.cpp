#include "net/alarms.h"

namespace rproxy::net {

void Alarm::arm(Alarms& alarms, TimePoint due) {
  disarm();
  at_ = alarms.entries_.emplace(due, this);
  alarms_ = &alarms;
}

void Alarm::disarm() {
  if (alarms_ == nullptr) return;
  alarms_->entries_.erase(at_);
  alarms_ = nullptr;
}

std::optional<TimePoint> Alarms::next() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.begin()->first;
}

void Alarms::fire(TimePoint now) {
  while (!entries_.empty() && entries_.begin()->first <= now) {
    Alarm& due = *entries_.begin()->second;
    due.disarm();
    due.callback_(due.owner_);
  }
}

}  // namespace rproxy::net
