// Task<T>: a coroutine that starts when awaited and hands its result to the one that awaits it. Frames come from per-thread free
// lists, so that a warm request allocates none.
//
// Cancelling is destroying: whatever a suspended task waits for lets go of it, and its locals clean up. Nothing else is needed, and
// nothing may be done after a suspension that must be done.
#pragma once

#include <coroutine>
#include <cstddef>
#include <exception>
#include <optional>
#include <utility>

#include "base/memory_pool.h"

namespace rproxy::net {

// Base for objects made once per request or connection (bodies, exchanges): same free lists as frames.
struct Pooled {
  static void* operator new(std::size_t size) { return MemoryPool::allocate(size); }
  static void operator delete(void* memory, std::size_t size) noexcept { MemoryPool::release(memory, size); }
};

template <typename T>
class Task;

namespace detail {

struct PromiseBase : Pooled {
  std::coroutine_handle<> continuation = std::noop_coroutine();
  std::exception_ptr exception;

  std::suspend_always initial_suspend() noexcept { return {}; }

  struct FinalAwaiter {
    bool await_ready() noexcept { return false; }
    template <typename Promise>
    std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> self) noexcept {
      return self.promise().continuation;
    }
    void await_resume() noexcept {}
  };
  FinalAwaiter final_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { exception = std::current_exception(); }
  void rethrow_if_failed() {
    if (exception) std::rethrow_exception(exception);
  }
};

template <typename T>
struct Promise : PromiseBase {
  std::optional<T> value;
  Task<T> get_return_object() noexcept;
  template <typename U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() {
    rethrow_if_failed();
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object() noexcept;
  void return_void() noexcept {}
  void take() { rethrow_if_failed(); }
};

}  // namespace detail

template <typename T = void>
class [[nodiscard]] Task {
 public:
  using promise_type = detail::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, {})) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, {});
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  struct Awaiter {
    Handle handle;
    bool await_ready() const noexcept { return false; }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
      handle.promise().continuation = awaiting;
      return handle;
    }
    T await_resume() { return handle.promise().take(); }
  };
  Awaiter operator co_await() && noexcept { return Awaiter{handle_}; }

 private:
  template <typename U>
  friend class Child;
  Handle handle_;
};

// A task that runs beside its parent, which owns it: destroying the Child cancels the task.
template <typename T = void>
class Child {
 public:
  Child() = default;
  // Runs until its first suspension at once.
  explicit Child(Task<T> task) : task_(std::move(task)) { task_.handle_.resume(); }

  bool has_task() const { return static_cast<bool>(task_.handle_); }
  bool is_done() const { return task_.handle_.done(); }
  // The result; once, after is_done().
  T take() { return task_.handle_.promise().take(); }
  // Who goes on when the task ends; noop_coroutine for nobody.
  void continue_with(std::coroutine_handle<> handle) { task_.handle_.promise().continuation = handle; }
  void cancel() { task_ = {}; }

  // Waits for the end; the result is still to be taken.
  auto wait() {
    struct Ender {
      Child& child;
      bool await_ready() const noexcept { return child.is_done(); }
      void await_suspend(std::coroutine_handle<> handle) { child.continue_with(handle); }
      void await_resume() const noexcept {}
    };
    return Ender{*this};
  }

 private:
  Task<T> task_;
};

// A result that may be there already: a body whose bytes have arrived needs no coroutine to say so.
template <typename T>
class [[nodiscard]] ValueTask {
 public:
  ValueTask(T value) : value_(std::move(value)) {}                    // NOLINT(google-explicit-constructor)
  ValueTask(Task<T> task) : task_(std::in_place, std::move(task)) {}  // NOLINT(google-explicit-constructor)

  bool is_ready() const { return value_.has_value(); }
  // Where it is ready.
  T take() && { return std::move(*value_); }
  // Where it is not ready.
  Task<T> into_task() && { return std::move(*task_); }

  struct Awaiter {
    ValueTask& self;
    std::optional<typename Task<T>::Awaiter> inner;
    bool await_ready() const noexcept { return self.value_.has_value(); }
    std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) {
      inner.emplace(std::move(*self.task_).operator co_await());
      return inner->await_suspend(awaiting);
    }
    T await_resume() { return inner ? inner->await_resume() : std::move(*self.value_); }
  };
  Awaiter operator co_await() && noexcept { return Awaiter{*this, {}}; }

 private:
  std::optional<T> value_;
  std::optional<Task<T>> task_;
};

namespace detail {
template <typename T>
Task<T> Promise<T>::get_return_object() noexcept {
  return Task<T>(std::coroutine_handle<Promise<T>>::from_promise(*this));
}
inline Task<void> Promise<void>::get_return_object() noexcept {
  return Task<void>(std::coroutine_handle<Promise<void>>::from_promise(*this));
}
}  // namespace detail

}  // namespace rproxy::net
