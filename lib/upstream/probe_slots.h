// How many probes run at once: ten thousand endpoints are not to take ten thousand descriptors.
#pragma once

#include <cstddef>
#include <utility>

#include "net/task.h"
#include "net/wait_queue.h"

namespace rproxy::upstream {

class ProbeSlots {
 public:
  static constexpr std::size_t kMax = 64;

  explicit ProbeSlots(std::size_t max = kMax) : free_(max) {}
  ProbeSlots(const ProbeSlots&) = delete;
  ProbeSlots& operator=(const ProbeSlots&) = delete;

  class Slot {
   public:
    explicit Slot(ProbeSlots& slots) : slots_(&slots) { --slots.free_; }
    Slot(Slot&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
    Slot& operator=(Slot&& other) = delete;
    ~Slot() {
      if (slots_ != nullptr) slots_->give_back();
    }

   private:
    ProbeSlots* slots_;
  };

  // Waits for its turn.
  net::Task<Slot> take() {
    while (free_ == 0) co_await waiting_;
    co_return Slot(*this);
  }

 private:
  void give_back() {
    ++free_;
    waiting_.wake_one();
  }

  std::size_t free_;
  net::WaitQueue waiting_;
};

}  // namespace rproxy::upstream
