// Readiness of descriptors, by epoll, edge-triggered: one registration in a descriptor's life, no call to change it, and events that
// tell whether the peer has ended its side, so that a receive that came back short need not be tried again.
#pragma once

#include <sys/epoll.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/fd.h"
#include "base/units.h"

namespace rproxy::net {

class Poller {
 public:
  class Watcher {
   public:
    // EPOLLIN and so on; 0 where again() asked for the call. May end the watcher, which then calls forget().
    virtual void on_ready(std::uint32_t events) = 0;

   protected:
    ~Watcher() = default;
  };

  Poller();
  Poller(const Poller&) = delete;
  Poller& operator=(const Poller&) = delete;

  // `events` as for epoll; edge-triggered always. The kernel ends the registration when the last copy of the descriptor is closed.
  // False where the system refuses (errno).
  bool add(int descriptor, std::uint32_t events, Watcher& watcher);
  // For a descriptor that others hold copies of, before it is closed.
  void remove(int descriptor);
  // The watcher is not called any more.
  void forget(Watcher& watcher);
  // Calls it in the next round, once: for who had its turn and has more to do.
  void again(Watcher& watcher) { again_.push_back(&watcher); }

  // Calls it at the end of this round, or of the next where this one's end is under way, once: for who puts together what a round brings.
  void at_end(Watcher& watcher) { at_end_.push_back(&watcher); }

  // One round: waits at most that long for events...
  void wait(Duration longest);
  // ...calls their watchers...
  void call_ready();
  // ...and, when all else of the round is done, those that asked for its end.
  void call_at_end();

  // The time when the wait ended, or the present call of a watcher began.
  TimePoint now() const { return now_; }

 private:
  static constexpr std::size_t kBatch = 256;

  void call(Watcher& watcher, std::uint32_t events);
  void call_all(std::vector<Watcher*>& asked);

  Fd epoll_;
  std::array<epoll_event, kBatch> events_;
  std::size_t next_ = 0;   // of events_, in a round
  std::size_t count_ = 0;  // of events_, in a round
  TimePoint now_ = Clock::now();
  std::vector<Watcher*> again_;
  std::vector<Watcher*> at_end_;
  std::vector<Watcher*> called_;
};

}  // namespace rproxy::net
