// Requests for which there is no room at their upstream, over all workers, until it is their turn.
//
// Whoever makes room calls room(): that promises it to the first in line, whose worker lets him try. Room is not kept for him, but who comes
// meanwhile stands behind him. What he can't use (he has been there already) is promised to the next.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

#include "net/deadline_wheel.h"
#include "net/loop.h"
#include "upstream/options.h"

namespace rproxy::upstream {

// Thread-safe, but for Turn, which belongs to its loop's thread.
class PlaceQueue {
 public:
  class Turn;

  // Of all that have ever come.
  struct Counts {
    std::atomic<std::uint64_t> queued{0};
    std::atomic<std::uint64_t> refused{0};  // it was full
    std::atomic<std::uint64_t> late{0};     // their turn never came
  };

  explicit PlaceQueue(const QueueOptions& options) { set_options(options); }
  PlaceQueue(const PlaceQueue&) = delete;
  PlaceQueue& operator=(const PlaceQueue&) = delete;

  QueueOptions options() const;
  // Who waits goes on to.
  void set_options(const QueueOptions& options);

  // Somebody has left.
  void room() {
    if (waiting_.load() != 0 || promised_.load() != 0) promise(false);
  }
  // Who may be asked has changed, or may have: there may be room for many.
  void look_again() {
    if (waiting_.load() != 0) promise(true);
  }
  // Somebody's turn has come, and who comes now is behind him.
  bool is_promised() const { return promised_.load(std::memory_order_relaxed) != 0; }
  // Whether the next who waits does so on that loop.
  bool is_first_on(const net::Loop& loop) const;
  std::uint32_t waiting() const { return waiting_.load(std::memory_order_relaxed); }
  const Counts& counts() const { return counts_; }

 private:
  struct Waiter;
  using WaiterPtr = std::shared_ptr<Waiter>;
  // By priority, then by arrival.
  using Key = std::pair<QueuePriority, std::uint64_t>;

  bool enter(const WaiterPtr& waiter, QueuePriority priority);
  void leave(const Waiter& waiter, bool has_used_it);
  void decline(const WaiterPtr& waiter);
  void promise(bool is_for_many);
  // Under the lock.
  void pass_on(std::uint64_t room, bool is_for_many);
  void pass_on_what_came_after(std::uint64_t room);
  void insert(const WaiterPtr& waiter);

  mutable std::mutex mutex_;
  QueueOptions options_;
  std::map<Key, WaiterPtr> line_;
  std::uint64_t arrivals_ = 0;
  std::uint64_t rooms_ = 0;                 // that were made, each a number...
  std::uint64_t left_over_ = 0;             // ...and the last of them that nobody in line could use
  std::atomic<std::uint32_t> waiting_{0};   // in line
  std::atomic<std::uint32_t> promised_{0};  // out of it, to try
  Counts counts_;
};

// One request's stay in the queue, as long as it lives.
class PlaceQueue::Turn {
 public:
  // `loop` is the thread's own and outlives it. `timeout`: from now on.
  Turn(PlaceQueue& queue, net::Loop& loop, QueuePriority priority, Duration timeout);
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { queue_.leave(*waiter_, has_used_it_); }

  // False: the queue was full.
  bool is_queued() const { return is_queued_; }
  // co_await gives true when it is to try: at once, where nobody else's turn has come, and then each time that it is this one's. False: it
  // has waited in vain.
  auto comes() { return Awaiter(*this); }
  // After a try: it took what there was, or could not.
  void use();
  void decline() { queue_.decline(waiter_); }

 private:
  class Awaiter {
   public:
    explicit Awaiter(Turn& turn) : turn_(turn) {}
    Awaiter(const Awaiter&) = delete;
    Awaiter& operator=(const Awaiter&) = delete;
    ~Awaiter();

    bool await_ready() const;
    void await_suspend(std::coroutine_handle<> handle);
    bool await_resume() const { return turn_.has_come(); }

   private:
    Turn& turn_;
  };

  bool has_come() const;
  static void on_late(void* self);

  PlaceQueue& queue_;
  WaiterPtr waiter_;
  bool is_queued_;
  bool has_used_it_ = false;
  bool is_late_ = false;
  net::Deadline deadline_;
};

}  // namespace rproxy::upstream
