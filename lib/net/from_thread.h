// Lets a coroutine wait on its loop for one answer that another thread gives.
#pragma once

#include <coroutine>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "net/loop.h"

namespace rproxy::net {

// Made, awaited and destroyed on the loop's thread. Where it goes first, the answer is dropped.
template <typename T>
class FromThread {
 public:
  explicit FromThread(Loop& loop) : state_(std::make_shared<State>(loop)) {}
  FromThread(const FromThread&) = delete;
  FromThread& operator=(const FromThread&) = delete;
  ~FromThread() {
    const std::lock_guard lock(state_->mutex);
    state_->loop = nullptr;
    state_->waiting = {};
  }

  // To be called once, on any thread.
  std::function<void(T)> teller() {
    return [state = state_](T value) {
      const std::lock_guard lock(state->mutex);
      if (state->loop == nullptr) return;
      state->value.emplace(std::move(value));
      // Whoever waits is asked for on his own thread: he may be gone by then.
      state->loop->post([state] {
        if (const auto handle = std::exchange(state->waiting, {})) handle.resume();
      });
    };
  }

  // co_await gives the answer.
  auto told() {
    struct Awaiter {
      State& state;
      bool await_ready() const {
        const std::lock_guard lock(state.mutex);
        return state.value.has_value();
      }
      void await_suspend(std::coroutine_handle<> handle) { state.waiting = handle; }
      T await_resume() { return std::move(*state.value); }
    };
    return Awaiter{*state_};
  }

 private:
  struct State {
    explicit State(Loop& whose) : loop(&whose) {}
    std::mutex mutex;
    Loop* loop;
    std::optional<T> value;
    std::coroutine_handle<> waiting;  // of the loop's thread
  };
  const std::shared_ptr<State> state_;
};

}  // namespace rproxy::net
