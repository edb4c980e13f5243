// Consistent hashing: each member has points on a ring by its weight, and a key belongs to the next point's. Immutable, for all workers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace rproxy::balance {

class Ring {
 public:
  struct Member {
    std::string name;  // decides where its points are; the same name twice has other points each time
    std::uint32_t weight = 1;
    bool operator==(const Member&) const = default;
  };
  static constexpr std::uint32_t kPoints = 128;       // for each unit of weight, as long as there are not too many
  static constexpr std::size_t kPointsMax = 1 << 22;  // in all, about: then each unit has half as many, and so on

  // Points of one unit of weight, on a ring of so much weight. A ring of some of its members is to have the same number: a key's next
  // point on it is the same as on the whole ring when all others are passed over.
  static std::uint32_t points_for(std::uint64_t weight);

  Ring(std::span<const Member> members, std::uint32_t points);

  std::size_t size() const { return hashes_.size(); }
  // The key's point; the next are those that follow, round and round. Not on an empty ring.
  std::size_t find(std::uint64_t hash) const;
  std::uint32_t member(std::size_t point) const { return members_[point]; }

 private:
  std::size_t bucket(std::uint64_t hash) const { return hash >> shift_; }

  int shift_ = 63;
  std::vector<std::uint32_t> starts_;  // of the buckets that the hash's first bits name
  std::vector<std::uint64_t> hashes_;
  std::vector<std::uint32_t> members_;
};

// Rings that several workers need, made once. Not thread-safe.
class RingCache {
 public:
  std::shared_ptr<const Ring> get(std::vector<Ring::Member> members, std::uint32_t points);

 private:
  struct Entry {
    std::vector<Ring::Member> members;
    std::uint32_t points;
    std::weak_ptr<const Ring> ring;
  };
  std::vector<Entry> entries_;
};

}  // namespace rproxy::balance
