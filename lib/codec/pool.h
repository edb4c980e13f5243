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
  std::size_t idle_max = 8;                        // contexts of a coding
  std::size_t idle_bytes_max = 16 * 1024 * 1024;   // all of them together
  std::size_t spare_bytes_max = 16 * 1024 * 1024;  // memory that no context holds
};

struct PoolUsage {
  std::size_t leased = 0;  // contexts
  std::size_t leased_bytes = 0;
  std::size_t idle = 0;  // contexts
  std::size_t idle_bytes = 0;
  std::size_t spare_bytes = 0;
};

// Null where there is no such coding. `account` outlives it.
template <typename Machine>
std::unique_ptr<Machine> make_machine(http::Coding coding, Account& account);

// Machine is Encoder or Decoder.
template <typename Machine>
class Pool {
 public:
  class Lease;

  explicit Pool(const PoolLimits& limits = {}, std::shared_ptr<Tally> tally = nullptr)
      : limits_(limits), memory_(limits.spare_bytes_max, std::move(tally)) {
    for (auto& idle : idle_) idle.reserve(limits.idle_max);
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // A machine at the start of a stream; the pool outlives the lease. kInternal where there is no such coding, no dictionary for one that
  // needs it, or no memory.
  Result<Lease> take(const typename Machine::Options& options);

  // Exact to the byte, of all that the libraries take.
  PoolUsage usage() const;
  // How often the heap was asked for memory.
  std::uint64_t heap_calls() const { return memory_.heap_calls(); }

 private:
  // A machine, and what it uses.
  struct Context {
    Context(Memory& memory, http::Coding made_for)
        : account(memory), coding(made_for), machine(make_machine<Machine>(made_for, account)) {}

    Account account;
    http::Coding coding;
    std::unique_ptr<Machine> machine;
  };

  void give_back(std::unique_ptr<Context> context);

  PoolLimits limits_;
  Memory memory_;  // outlives the contexts
  std::array<std::vector<std::unique_ptr<Context>>, http::kCodingCount> idle_;
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
  // What this context takes just now, and took at most since it was made.
  const Account& account() const { return context_->account; }

 private:
  friend class Pool;
  Lease(Pool& pool, std::unique_ptr<Context> context) : pool_(&pool), context_(std::move(context)) {}

  Pool* pool_ = nullptr;
  std::unique_ptr<Context> context_;
};

template <typename Machine>
auto Pool<Machine>::take(const typename Machine::Options& options) -> Result<Lease> {
  auto& idle = idle_[static_cast<std::size_t>(options.coding)];
  std::unique_ptr<Context> context;
  if (idle.empty()) {
    context = std::make_unique<Context>(memory_, options.coding);
  } else {
    context = std::move(idle.back());
    idle.pop_back();
    idle_bytes_ -= context->account.bytes();
  }
  if (context->machine == nullptr) {
    return fail(ErrorCode::kInternal, Side::kLocal, Retry::kNever,
                "no coder for " + std::string(to_string(options.coding)));
  }
  if (auto started = context->machine->start(options); !started) return fail(std::move(started.error()));
  ++leased_;
  return Lease(*this, std::move(context));
}

template <typename Machine>
void Pool<Machine>::give_back(std::unique_ptr<Context> context) {
  --leased_;
  context->machine->stop();
  auto& idle = idle_[static_cast<std::size_t>(context->coding)];
  const std::size_t bytes = context->account.bytes();
  if (idle.size() >= limits_.idle_max || idle_bytes_ + bytes > limits_.idle_bytes_max) return;
  idle_bytes_ += bytes;
  idle.push_back(std::move(context));
}

template <typename Machine>
PoolUsage Pool<Machine>::usage() const {
  PoolUsage usage;
  usage.leased = leased_;
  usage.leased_bytes = memory_.in_use() - idle_bytes_;
  for (const auto& idle : idle_) usage.idle += idle.size();
  usage.idle_bytes = idle_bytes_;
  usage.spare_bytes = memory_.spare();
  return usage;
}

}  // namespace rproxy::codec
