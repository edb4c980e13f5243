// Timeouts without timers: one coarse tick per worker walks a hashed wheel. Arming later than before is one store; nothing here makes a
// system call.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/units.h"

namespace rproxy::net {

class DeadlineWheel;

// One thing that may take too long. Fires its callback once, up to one tick late, unless disarmed. Unlinks itself when destroyed.
class Deadline {
 public:
  using Callback = void (*)(void* owner);

  Deadline(Callback callback, void* owner) : callback_(callback), owner_(owner) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() { unlink(); }

  // `timeout` 0 disarms: no limit.
  void arm(DeadlineWheel& wheel, Duration timeout);
  void disarm() { tick_ = kNever; }
  bool is_armed() const { return tick_ != kNever; }

 private:
  friend class DeadlineWheel;
  static constexpr std::uint64_t kNever = ~std::uint64_t{0};

  void unlink();

  Callback callback_;
  void* owner_;
  Deadline* next_ = nullptr;
  Deadline** link_ = nullptr;    // the pointer that points at this entry; null: not in the wheel
  std::uint64_t tick_ = kNever;  // when to fire
  std::uint64_t slot_tick_ = 0;  // when the slot it hangs in comes round
};

class DeadlineWheel {
 public:
  static constexpr Duration kTick{50};

  DeadlineWheel() = default;
  DeadlineWheel(const DeadlineWheel&) = delete;
  DeadlineWheel& operator=(const DeadlineWheel&) = delete;

  // Fires everything due by `ticks` ticks from the start. Called by the worker's tick; callbacks may arm and destroy entries.
  void advance(std::uint64_t tick);
  // So many ticks have gone by: what is armed from now on counts from there, though what is due waits for advance().
  void note(std::uint64_t tick) { latest_ = std::max(latest_, tick); }
  std::uint64_t current_tick() const { return current_; }

 private:
  friend class Deadline;
  static constexpr std::size_t kSlots = 512;  // 25.6 s a turn; later deadlines go round again

  void insert(Deadline& entry);

  std::array<Deadline*, kSlots> slots_{};
  std::uint64_t current_ = 0;  // the tick whose entries have fired last
  std::uint64_t latest_ = 0;   // ahead of current_ while catching up
};

}  // namespace rproxy::net
