// Contexts of one thread, used again: what a coder needs is large and slow to set up, a request short.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "base/result.h"
#include "codec/memory.h"
#include "http/content_coding.h"

namespace rproxy::codec {

struct PoolLimits {
  std::size_t idle_max = 8;                              // contexts of a coding
  std::size_t idle_bytes_max = 16 * 1024 * 1024;         // all of them together
  std::size_t spare_bytes_max = std::size_t{16} << 20U;  // memory that no context holds
};

struct PoolUsage {
  std::size_t leased = 0;        // contexts
  std::size_t leased_bytes = 0;  // as the libraries have it now
  std::size_t idle = 0;          // contexts
  std::size_t idle_bytes = 0;
  std::size_t spare_bytes = 0;
};

// A machine of either kind, with an account of what it uses.
template <typename Machine>
struct Context {
  explicit Context(Memory& memory) : account(memory) {}

  Account account;
  std::unique_ptr<Machine> machine;  // of the account's memory
  http::Coding coding = http::Coding::kIdentity;
};

// Machine is Encoder or Decoder.
template <typename Machine>
class Pool {
 public:
  class Lease;

  explicit Pool(const PoolLimits& limits = {}) : limits_(limits), memory_(limits.spare_bytes_max) {}
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A machine at the start of a stream. The pool outlives the lease. kInternal where there is no such coding, no dictionary for one that
  // needs it, or no memory.
  Result<Lease> take(const typename Machine::Options& options);

  PoolUsage usage() const;
  // How often the heap was asked for memory.
  std::uint64_t heap_calls() const { return memory_.heap_calls(); }

 private:
  using Held = std::unique_ptr<Context<Machine>>;

  void give_back(Held context) noexcept;

  PoolLimits limits_;
  Memory memory_;  // outlives the contexts
  std::array<std::vector<Held>, http::kCodingCount> idle_;
  std::size_t idle_bytes_ = 0;
  std::size_t leased_ = 0;
};

template <typename Machine>
class Pool<Machine>::Lease {
 public:
  Lease() = default;
  Lease(Lease&& other) noexcept : pool_(other.pool_), context_(std::move(other.context_)) {}
  Lease& operator=(Lease&& other) noexcept {
    std::swap(pool_, other.pool_);
    std::swap(context_, other.context_);
    return *this;
  }
  ~Lease() {
    if (context_ != nullptr) pool_->give_back(std::move(context_));
  }

  Machine* operator->() const { return context_->machine.get(); }
  Machine& operator*() const { return *context_->machine; }
  explicit operator bool() const { return context_ != nullptr; }
  // What this stream takes just now, and took at most since its context was made.
  const Account& account() const { return context_->account; }

 private:
  friend class Pool;
  Lease(Pool& pool, Held context) : pool_(&pool), context_(std::move(context)) {}

  Pool* pool_ = nullptr;
  Held context_;
};

}  // namespace rproxy::codec
