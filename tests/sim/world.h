// What a simulated network and its clock do next: everything that could happen is listed, and a seed picks. Nothing here waits: where
// nothing can happen, time goes on by one tick of the deadline wheel.
#pragma once

#include <algorithm>
#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "net/loop.h"

namespace rproxy::sim {

// What becomes of an operation: the connection breaks, its peer ends it, or it never gets anywhere.
enum class Fault : std::uint8_t { kNone, kReset, kEnd, kStall };

struct WorldOptions {
  std::uint64_t seed = 0;
  bool in_pieces = false;  // bytes arrive in parts, at odd times; otherwise each message whole and at once
  Fault fault = Fault::kNone;
  std::size_t fault_at = 0;  // the operation that fails, from 1
};

// Something that can happen, in up to 8 ways.
class Actor {
 public:
  // A bit for each way that is possible now.
  virtual unsigned ready() const = 0;
  virtual void act(unsigned bit) = 0;

 protected:
  ~Actor() = default;
};

class World {
 public:
  World(net::Loop& loop, const WorldOptions& options) : loop_(loop), options_(options), random_(options.seed) {
    // What a connection takes before its peer has read anything.
    if (options.in_pieces) window_ = 1 + below(4096);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  net::Loop& loop() { return loop_; }
  void add(Actor& actor) { actors_.push_back(&actor); }
  void remove(Actor& actor) { std::erase(actors_, &actor); }

  // One thing happens; false where nothing can.
  bool step();
  std::size_t steps() const { return steps_; }
  void advance();
  std::uint64_t tick() const { return tick_; }

  // What the seed says: a number below `count`, one chance in `count`, how much of `size` goes now (at least 1).
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(random_() % count); }
  bool one_in(std::size_t count) { return options_.in_pieces && below(count) == 0; }
  std::size_t part_of(std::size_t size);
  std::size_t window() const { return window_; }
  bool in_pieces() const { return options_.in_pieces; }

  // Counts one operation of the proxy's; its fate. `harmless`: the request can be sent anew if this one breaks, or even
  // if it takes too long.
  enum class Harmless : std::uint8_t { kNo, kBroken, kEver };
  Fault next_operation(Harmless harmless);
  bool has_failed_harmlessly() const { return harmless_; }
  bool has_failed() const { return options_.fault_at != 0 && operations_ >= options_.fault_at; }
  Fault fault() const { return options_.fault; }
  void stop_faults() { options_.fault_at = 0; }

  std::size_t streams = 0;  // open in the proxy

 private:
  static constexpr std::size_t kDelaysMax = 10;
  struct Choice {
    Actor* actor;
    unsigned bit;
  };
  std::vector<Choice> choices() const;
  void end_round();

  net::Loop& loop_;
  WorldOptions options_;
  std::mt19937_64 random_;
  std::size_t window_ = ~std::size_t{0};
  std::vector<Actor*> actors_;
  std::size_t steps_ = 0;
  std::size_t operations_ = 0;
  bool harmless_ = false;
  std::size_t delays_ = 0;
  std::uint64_t tick_ = 0;
};

// Lets other things happen first.
class Turn final : Actor {
 public:
  explicit Turn(World& world) : world_(world) {}
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() { world_.remove(*this); }
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    world_.add(*this);
  }
  void await_resume() { world_.remove(*this); }

 private:
  unsigned ready() const override { return 1; }
  void act(unsigned) override { handle_.resume(); }

  World& world_;
  std::coroutine_handle<> handle_;
};

// Lets time pass.
class Sleep {
 public:
  Sleep(World& world, Duration time)
      : world_(world), time_(time), deadline_([](void* self) { static_cast<Sleep*>(self)->handle_.resume(); }, this) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> handle) {
    handle_ = handle;
    deadline_.arm(world_.loop().wheel(), time_);
  }
  void await_resume() {}

 private:
  World& world_;
  Duration time_;
  std::coroutine_handle<> handle_;
  net::Deadline deadline_;
};

}  // namespace rproxy::sim
