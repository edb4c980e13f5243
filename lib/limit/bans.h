// Who is kept out for a while, longer each time. Belongs to no configuration: bans outlive reloads.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/units.h"
#include "limit/key.h"
#include "limit/short_lock.h"

namespace rproxy::limit {

struct BanOptions {
  Duration first{std::chrono::minutes(10)};       // each further one is twice as long
  Duration longest{std::chrono::hours(24)};       // but no longer than this, unless the first is
  Duration forget_after{std::chrono::hours(24)};  // from the end of the last one; then the next is a first one again
  bool operator==(const BanOptions&) const = default;
};

struct Ban {
  Key key;
  std::string label;  // whom it is about, for people
  TimePoint until{};  // TimePoint::max(): until it is lifted
  std::uint32_t offences = 0;
  std::uint32_t rule = 0;  // the caller's number for what led to the last one
};

// Any thread. Asking is meant for each request: two loads where nobody is banned, or nobody of the same bucket; else a
// lock of the bucket for some nanoseconds. Changes are one at a time.
//
// About 200 bytes for each ban that there is, and 10 for each there may be. Where there are as many as may be, the one
// that ends first, or has ended longest ago, makes room for the next.
class Bans {
 public:
  static constexpr std::size_t kLabelMax = 64;  // bytes; what is longer is cut

  explicit Bans(std::size_t capacity);

  // When the ban of the key ends; nothing where there is none now.
  std::optional<TimePoint> until(Key key, TimePoint now) const;

  // An offence: a ban by how many there were before. Who is banned stays so as long as it was, without another offence:
  // it is a request that was under way.
  Ban punish(Key key, std::string_view label, const BanOptions& options, TimePoint now, std::uint32_t rule = 0);
  // By decision of an operator, in place of what was; it is no offence. TimePoint::max(): until it is lifted.
  void add(Key key, std::string_view label, TimePoint until, TimePoint now, std::uint32_t rule = 0);
  // Ends it, and forgets all offences. False: the key was not known.
  bool lift(Key key);
  // All of them; how many were known.
  std::size_t lift_all();

  // Those banned now, the last to end first; at most `max`.
  std::vector<Ban> list(TimePoint now, std::size_t max) const;
  // How many are banned now; reads them all.
  std::size_t count(TimePoint now) const;
  // How often a ban that had not ended made room for another.
  std::uint64_t evictions() const { return evictions_.load(std::memory_order_relaxed); }

 private:
  struct Record {
    Ban ban;
    TimePoint forget{};
  };
  struct Bucket {
    ShortLock lock;
    std::atomic<std::int64_t> latest{0};  // end of any ban in it, as a count of the clock; 0: there is none
    std::vector<Record> records;
  };
  using Order = std::set<std::pair<TimePoint, Key>>;

  Bucket& bucket_of(Key key) const { return buckets_[((key.value >> 32) * size_) >> 32]; }
  static Record* find(Bucket& bucket, Key key);
  // With changes_ locked.
  void put(Record record, TimePoint now);
  bool erase(Key key);
  void make_room(TimePoint now);
  static void set_latest(Bucket& bucket);  // of its records
  void set_latest();                       // of all

  std::size_t capacity_;
  std::size_t size_;
  std::unique_ptr<Bucket[]> buckets_;
  std::atomic<std::int64_t> latest_{0};  // of all buckets
  std::atomic<std::uint64_t> evictions_{0};
  mutable std::mutex changes_;  // who has it may read all; records are changed under their bucket's lock, too
  Order order_;                 // all records by their end
};

}  // namespace rproxy::limit
