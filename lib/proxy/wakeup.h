// Lets a coroutine wait on its loop for what some thread will tell.
#pragma once

#include <coroutine>
#include <memory>
#include <thread>

#include "cache/content.h"
#include "net/loop.h"
#include "storage/flight.h"

namespace rproxy::proxy {

// Made, awaited and destroyed on the loop's thread. Whoever might still tell it has forgotten it before it goes.
class Wakeup final : public cache::Content::Listener, public storage::Flight::Listener, private net::Poller::Watcher {
 public:
  // `loop` outlives it.
  explicit Wakeup(net::Loop& loop);
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;
  ~Wakeup();

  void on_change() override { tell(); }
  void on_settled() override { tell(); }

  // co_await ends once it has been told since the last time.
  auto told() {
    struct Awaiter {
      Wakeup& wakeup;
      bool await_ready() const noexcept { return wakeup.is_told_; }
      void await_suspend(std::coroutine_handle<> handle) { wakeup.waiting_ = handle; }
      void await_resume() const noexcept { wakeup.is_told_ = false; }
      ~Awaiter() { wakeup.waiting_ = {}; }
    };
    return Awaiter{*this};
  }

 private:
  // What is on its way to the loop finds out by this that nobody waits any more.
  struct Link {
    explicit Link(Wakeup* whose) : wakeup(whose) {}
    Wakeup* wakeup;
  };

  void tell();
  void on_ready(std::uint32_t events) override;

  net::Loop& loop_;
  std::thread::id thread_ = std::this_thread::get_id();
  std::shared_ptr<Link> link_;
  std::coroutine_handle<> waiting_;
  bool is_told_ = false;
  bool is_asked_for_ = false;  // of the poller
};

}  // namespace rproxy::proxy
