// Who leaves when room is needed: S3-FIFO (Yang et al., SOSP 2023). What comes for the first time waits in a small queue and leaves from there
// unless it was asked for again, so that a scan passes by what is in use; what left a short while ago and is asked for again goes to the
// main queue at once. A hit costs a counter.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

namespace rproxy::storage {

class Eviction {
 public:
  // Part of whatever is stored.
  struct Link {
    std::uint64_t digest = 0;  // by which it is known again once it is gone
    std::size_t cost = 0;
    std::uint8_t uses = 0;
    enum class Queue : std::uint8_t { kNone, kSmall, kMain } queue = Queue::kNone;
    Link* newer = nullptr;
    Link* older = nullptr;
  };

  explicit Eviction(std::size_t most) : most_(most) {}
  Eviction(const Eviction&) = delete;
  Eviction& operator=(const Eviction&) = delete;

  // `is_known`: it takes the place of one that had proved its use.
  void insert(Link& link, bool is_known = false);
  void remove(Link& link);
  void use(Link& link) {
    if (link.uses < kUsesMax) ++link.uses;
  }
  void set_cost(Link& link, std::size_t cost);
  void set_most(std::size_t most) { most_ = most; }

  std::size_t cost() const { return small_.cost + main_.cost; }
  bool is_over() const { return cost() > most_; }
  // The next to go, taken out; null where there is nothing.
  Link* evict();

 private:
  static constexpr std::uint8_t kUsesMax = 3;
  static constexpr std::size_t kSmallShare = 10;  // a tenth

  struct List {
    Link* newest = nullptr;
    Link* oldest = nullptr;
    std::size_t cost = 0;
    std::size_t count = 0;
  };
  // Who left the small queue, in the order of that: as many as are in the main queue.
  class Ghosts {
   public:
    void add(std::uint64_t digest, std::size_t most);
    bool take(std::uint64_t digest, std::size_t most);

   private:
    struct Slot {
      std::uint64_t digest = 0;
      std::uint64_t at = 0;
    };
    std::vector<Slot> slots_;
    std::uint64_t clock_ = 0;
  };

  List& list_of(const Link& link) { return link.queue == Link::Queue::kSmall ? small_ : main_; }
  void push(Link& link, Link::Queue queue);
  void unlink(Link& link);
  Link* evict_small();
  Link* evict_main();
  std::size_t ghosts_max() const { return main_.count + small_.count; }

  std::size_t most_;
  List small_;
  List main_;
  Ghosts ghosts_;
};

}  // namespace rproxy::storage
