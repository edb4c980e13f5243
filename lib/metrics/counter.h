// Numbers that one thread writes and any other reads. A store of what that thread alone has loaded needs neither a lock nor an atomic
// addition, which would cost every request some twenty of them.
#pragma once

#include <atomic>
#include <cstdint>

namespace rproxy::metrics {

class Counter {
 public:
  // By the counter's own thread.
  void add(std::uint64_t more = 1) { value_.store(value() + more, std::memory_order_relaxed); }
  // By any.
  std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }
  Counter& operator+=(const Counter& other) {
    add(other.value());
    return *this;
  }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// What goes down again.
class Gauge {
 public:
  void add(std::int64_t more) { set(value() + more); }
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  std::int64_t value() const { return value_.load(std::memory_order_relaxed); }
  Gauge& operator+=(const Gauge& other) {
    add(other.value());
    return *this;
  }

 private:
  std::atomic<std::int64_t> value_{0};
};

}  // namespace rproxy::metrics
