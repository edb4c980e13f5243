#include "upstream/place_queue.h"

#include <algorithm>

namespace rproxy::upstream {

// Shared with what is on its way to its loop, which may find that nobody waits any more.
struct PlaceQueue::Waiter {
  explicit Waiter(net::Loop& its_loop) : loop(its_loop) {}

  net::Loop& loop;
  // Of the loop's thread. kFirst: as it came, before any promise.
  enum class Try : std::uint8_t { kNone, kFirst, kPromised };
  Try turn = Try::kNone;
  std::coroutine_handle<> handle;  // null: it does not wait just now
  // Under the queue's lock.
  Key key;
  bool is_promised = false;
  std::uint64_t room = 0;      // that was promised...
  bool is_for_many = false;    // ...to the next as well, once this one has taken of it
  std::uint64_t declined = 0;  // the last room that it could not use, nor any before
};

QueueOptions PlaceQueue::options() const {
  const std::lock_guard lock(mutex_);
  return options_;
}

void PlaceQueue::set_options(const QueueOptions& options) {
  const std::lock_guard lock(mutex_);
  options_ = options;
}

bool PlaceQueue::enter(const WaiterPtr& waiter, QueuePriority priority) {
  const std::lock_guard lock(mutex_);
  if (line_.size() + promised_.load() >= options_.size) {
    counts_.refused.fetch_add(1, std::memory_order_relaxed);
    return false;
  }
  counts_.queued.fetch_add(1, std::memory_order_relaxed);
  waiter->key = {priority, ++arrivals_};
  // Before it tries: who makes room after that try sees that it waits.
  insert(waiter);
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (promised_.load() != 0) return true;
  waiter->turn = Waiter::Try::kFirst;
  waiter->declined = rooms_;
  return true;
}

void PlaceQueue::leave(const Waiter& waiter, bool has_used_it) {
  const std::lock_guard lock(mutex_);
  if (waiter.is_promised) {
    promised_.fetch_sub(1);
    if (!has_used_it || waiter.is_for_many) pass_on(waiter.room, waiter.is_for_many);
    pass_on_what_came_after(waiter.room);
  } else if (line_.erase(waiter.key) != 0) {
    waiting_.fetch_sub(1);
  }
}

void PlaceQueue::decline(const WaiterPtr& waiter) {
  // What was promised during the first try is on its way.
  if (std::exchange(waiter->turn, Waiter::Try::kNone) == Waiter::Try::kFirst) return;
  const std::lock_guard lock(mutex_);
  waiter->is_promised = false;
  promised_.fetch_sub(1);
  waiter->declined = std::max(waiter->declined, waiter->room);
  pass_on(waiter->room, waiter->is_for_many);
  insert(waiter);
  pass_on_what_came_after(waiter->room);
}

bool PlaceQueue::is_first_on(const net::Loop& loop) const {
  const std::lock_guard lock(mutex_);
  return !line_.empty() && &line_.begin()->second->loop == &loop;
}

void PlaceQueue::promise(bool is_for_many) {
  const std::lock_guard lock(mutex_);
  pass_on(++rooms_, is_for_many);
}

// To the first who has not seen that room, or a later one, in vain: it ends with the last of the line.
void PlaceQueue::pass_on(std::uint64_t room, bool is_for_many) {
  const auto next = std::ranges::find_if(line_, [&](const auto& each) { return each.second->declined < room; });
  if (next == line_.end()) {
    left_over_ = std::max(left_over_, room);
    return;
  }
  const WaiterPtr waiter = next->second;
  line_.erase(next);
  waiting_.fetch_sub(1);
  promised_.fetch_add(1);
  waiter->is_promised = true;
  waiter->room = room;
  waiter->is_for_many = is_for_many;
  // Under the lock, for without it a loop may have ended once its waiter has left.
  waiter->loop.post([waiter] {
    waiter->turn = Waiter::Try::kPromised;
    if (const auto handle = std::exchange(waiter->handle, nullptr)) handle.resume();
  });
}

// While the one was out of line to try, room may have come that nobody else was there for.
void PlaceQueue::pass_on_what_came_after(std::uint64_t room) {
  if (left_over_ > room) pass_on(left_over_, true);
}

void PlaceQueue::insert(const WaiterPtr& waiter) {
  line_.emplace(waiter->key, waiter);
  waiting_.fetch_add(1);
}

PlaceQueue::Turn::Turn(PlaceQueue& queue, net::Loop& loop, QueuePriority priority, Duration timeout)
    : queue_(queue),
      waiter_(std::make_shared<Waiter>(loop)),
      is_queued_(queue.enter(waiter_, priority)),
      deadline_(&Turn::on_late, this) {
  deadline_.arm(loop.wheel(), timeout);
}

bool PlaceQueue::Turn::has_come() const { return waiter_->turn != Waiter::Try::kNone; }

// What the first try took was promised to nobody: a promise made meanwhile is for another.
void PlaceQueue::Turn::use() { has_used_it_ = waiter_->turn == Waiter::Try::kPromised; }

void PlaceQueue::Turn::on_late(void* self) {
  auto& turn = *static_cast<Turn*>(self);
  turn.is_late_ = true;
  turn.queue_.counts_.late.fetch_add(1, std::memory_order_relaxed);
  if (const auto handle = std::exchange(turn.waiter_->handle, nullptr)) handle.resume();
}

PlaceQueue::Turn::Awaiter::~Awaiter() { turn_.waiter_->handle = nullptr; }

bool PlaceQueue::Turn::Awaiter::await_ready() const { return turn_.has_come() || turn_.is_late_; }

void PlaceQueue::Turn::Awaiter::await_suspend(std::coroutine_handle<> handle) { turn_.waiter_->handle = handle; }

}  // namespace rproxy::upstream
