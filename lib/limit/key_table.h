// States by key in memory that is allocated once: a cache of 15 ways, for each of which a lock.
//
// A bucket's lock and tags share a cache line, the states are behind it: a look-up costs two lines, one that makes room
// all of the bucket. A key's bucket is told by the upper half of its hash, and the lower half is its tag: two keys are
// taken for one once in 300 million.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>

#include "limit/key.h"
#include "limit/short_lock.h"

namespace rproxy::limit {

// A number that may be read while it is changed under a ShortLock.
template <typename Number>
class SharedNumber {
 public:
  SharedNumber() = default;
  explicit SharedNumber(Number value) : value_(value) {}
  SharedNumber(const SharedNumber& other) : value_(other.load()) {}
  SharedNumber& operator=(const SharedNumber& other) {
    value_.store(other.load(), std::memory_order_release);
    return *this;
  }
  Number load() const { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic<Number> value_{0};
};

// `State` is a plain value; as it is made new, it is that of a key that has not been seen. Any thread.
template <typename State>
class KeyTable {
  static constexpr std::size_t kWays = 15;
  struct alignas(64) Bucket {
    ShortLock lock;
    std::array<std::atomic<std::uint32_t>, kWays> tags{};
    std::array<State, kWays> states{};
    std::uint32_t evicted = 0;
  };

 public:
  // So many of the 15 are meant to be used: then 998 of 1,000 keys find room in their own bucket.
  static constexpr std::size_t kFill = 8;
  static constexpr std::size_t kKeysMax = std::size_t{kFill} << 32;
  static constexpr std::size_t kBytesPerKey = sizeof(Bucket) / kFill;

  explicit KeyTable(std::size_t keys)
      : size_((std::clamp(keys, std::size_t{1}, kKeysMax) + kFill - 1) / kFill),
        buckets_(std::make_unique<Bucket[]>(size_)) {}

  std::size_t bytes() const { return size_ * sizeof(Bucket); }

  // The place of a key, to itself as long as it lives: some nanoseconds, and one at a time for each thread.
  class Slot {
   public:
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;

    bool is_found() const { return at_ != kWays; }
    State& state() const { return bucket_.states[at_]; }  // of a key that was found, or has claimed a place

    // For a key that was not found: takes the place of least `rank(state)`, a number that is 0 where there is nothing
    // to lose. What takes its place is new. False: none was of `rank_max` or less, and the slot is still without a
    // place.
    template <typename Rank>
    bool claim(const Rank& rank, std::uint64_t rank_max = std::numeric_limits<std::uint64_t>::max()) {
      std::size_t least = 0;
      std::uint64_t least_rank = rank(bucket_.states[0]);
      for (std::size_t i = 1; i < kWays && least_rank != 0; ++i) {
        const std::uint64_t each = rank(bucket_.states[i]);
        if (each >= least_rank) continue;
        least = i;
        least_rank = each;
      }
      if (least_rank > rank_max) return false;
      if (least_rank != 0) ++bucket_.evicted;
      bucket_.tags[least].store(tag_, std::memory_order_release);
      bucket_.states[least] = State{};
      at_ = least;
      return true;
    }

   private:
    friend class KeyTable;
    Slot(Bucket& bucket, std::uint32_t tag)
        : bucket_(bucket), lock_(bucket.lock), tag_(tag), at_(place_of(bucket, tag)) {}

    Bucket& bucket_;
    std::lock_guard<ShortLock> lock_;
    std::uint32_t tag_;
    std::size_t at_;
  };

  Slot lock(Key key) const { return Slot(bucket_of(key), tag_of(key)); }

  // The place of a key as it is without the lock, for states that are a SharedNumber.
  class Glimpse {
   public:
    bool is_found() const { return at_ != kWays; }
    const State& state() const { return bucket_.states[at_]; }
    // Whether all that was read was so at one moment.
    bool holds() const { return bucket_.lock.is_still(version_); }
    // Puts another state in the place of the one that was read. False: something has changed since, and nothing was
    // done.
    bool replace(const State& state) const {
      if (!bucket_.lock.try_lock_at(version_)) return false;
      bucket_.states[at_] = state;
      bucket_.lock.unlock();
      return true;
    }

   private:
    friend class KeyTable;
    Glimpse(Bucket& bucket, std::uint32_t tag)
        : bucket_(bucket), version_(bucket.lock.version()), at_(place_of(bucket, tag)) {}

    Bucket& bucket_;
    ShortLock::Version version_;
    std::size_t at_;
  };

  Glimpse glimpse(Key key) const { return Glimpse(bucket_of(key), tag_of(key)); }

  // The state of a key, or a new one; without the lock where nobody has it.
  State read(Key key) const {
    const Glimpse known = glimpse(key);
    const State state = known.is_found() ? known.state() : State{};
    if (known.holds()) return state;
    const Slot slot = lock(key);
    return slot.is_found() ? slot.state() : State{};
  }

  // Calls `visit(state)` for each place, one bucket after the other.
  template <typename Visit>
  void each(const Visit& visit) const {
    for (std::size_t i = 0; i < size_; ++i) {
      const std::lock_guard lock(buckets_[i].lock);
      for (const State& state : buckets_[i].states) visit(state);
    }
  }
  // How often something was lost to make room.
  std::uint64_t evictions() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < size_; ++i) {
      const std::lock_guard lock(buckets_[i].lock);
      sum += buckets_[i].evicted;
    }
    return sum;
  }

 private:
  static std::uint32_t tag_of(Key key) { return static_cast<std::uint32_t>(key.value); }
  static std::size_t place_of(const Bucket& bucket, std::uint32_t tag) {
    std::size_t at = 0;
    while (at != kWays && bucket.tags[at].load(std::memory_order_acquire) != tag) ++at;
    return at;
  }
  Bucket& bucket_of(Key key) const { return buckets_[((key.value >> 32) * size_) >> 32]; }

  std::size_t size_;
  std::unique_ptr<Bucket[]> buckets_;
};

}  // namespace rproxy::limit
