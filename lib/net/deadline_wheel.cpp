#include "net/deadline_wheel.h"

#include <algorithm>

namespace rproxy::net {

void Deadline::arm(DeadlineWheel& wheel, Duration timeout) {
  if (timeout.count() <= 0) {
    disarm();
    return;
  }
  const auto ticks = (timeout - Duration{1}) / DeadlineWheel::kTick + 1;
  // One more: the current tick has partly gone, and a timeout may be late but not early.
  tick_ = wheel.latest_ + static_cast<std::uint64_t>(ticks) + 1;
  // An entry that hangs in an earlier slot stays there; advance() moves it on when that slot comes round.
  if (link_ != nullptr && slot_tick_ <= tick_) return;
  unlink();
  wheel.insert(*this);
}

void Deadline::unlink() {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  link_ = nullptr;
  next_ = nullptr;
}

void DeadlineWheel::insert(Deadline& entry) {
  entry.slot_tick_ = std::min(entry.tick_, current_ + kSlots - 1);
  Deadline*& head = slots_[entry.slot_tick_ % kSlots];
  entry.next_ = head;
  entry.link_ = &head;
  if (head != nullptr) head->link_ = &entry.next_;
  head = &entry;
}

void DeadlineWheel::advance(std::uint64_t tick) {
  note(tick);
  while (current_ < tick) {
    ++current_;
    // The slot is taken off first: callbacks may put entries back into it for the next turn.
    Deadline* due = slots_[current_ % kSlots];
    slots_[current_ % kSlots] = nullptr;
    if (due != nullptr) due->link_ = &due;
    while (due != nullptr) {
      Deadline& entry = *due;
      entry.unlink();
      if (!entry.is_armed()) continue;
      if (entry.tick_ > current_) {
        insert(entry);
        continue;
      }
      entry.disarm();
      entry.callback_(entry.owner_);
    }
  }
}

}  // namespace rproxy::net
