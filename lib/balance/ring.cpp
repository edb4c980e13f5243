#include "balance/ring.h"

#include <algorithm>
#include <bit>
#include <unordered_map>
#include <utility>

#include "balance/hash.h"
#include "balance/random.h"

namespace rproxy::balance {

std::uint32_t Ring::points_for(std::uint64_t weight) {
  std::uint32_t points = kPoints;
  while (points > 1 && weight * points > kPointsMax) points /= 2;
  return points;
}

Ring::Ring(std::span<const Member> members, std::uint32_t points) {
  struct Point {
    std::uint64_t hash;
    std::uint32_t member;
  };
  std::size_t total = 0;
  for (const Member& each : members) total += std::size_t{each.weight} * points;
  std::vector<Point> made;
  made.reserve(total);
  std::unordered_map<std::string_view, std::uint64_t> times;
  for (std::uint32_t i = 0; i < members.size(); ++i) {
    const std::uint64_t base = hash_of(members[i].name, times[members[i].name]++);
    const std::uint64_t count = std::uint64_t{members[i].weight} * points;
    // Numbered, so that more weight adds points and moves none.
    for (std::uint64_t k = 0; k < count; ++k) made.push_back({mix(base + k * 0x9e3779b97f4a7c15U), i});
  }
  // Hashes are spread evenly: sorted by their first bits into buckets of a few, which is linear.
  const int bits = std::max(1, static_cast<int>(std::bit_width(total / 4)));
  shift_ = 64 - bits;
  starts_.assign((std::size_t{1} << bits) + 1, 0);
  for (const Point& each : made) ++starts_[bucket(each.hash) + 1];
  for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
  std::vector<std::uint32_t> ends(starts_.begin(), starts_.end() - 1);
  std::vector<Point> sorted(total);
  for (const Point& each : made) sorted[ends[bucket(each.hash)]++] = each;
  hashes_.reserve(total);
  members_.reserve(total);
  for (std::size_t i = 0; i + 1 < starts_.size(); ++i) {
    std::sort(sorted.begin() + starts_[i], sorted.begin() + starts_[i + 1],
              [](const Point& a, const Point& b) { return std::pair(a.hash, a.member) < std::pair(b.hash, b.member); });
  }
  for (const Point& each : sorted) {
    hashes_.push_back(each.hash);
    members_.push_back(each.member);
  }
}

std::size_t Ring::find(std::uint64_t hash) const {
  const std::size_t at = bucket(hash);
  const auto first = hashes_.begin();
  const auto found = std::lower_bound(first + starts_[at], first + starts_[at + 1], hash);
  // The bucket may end before the hash: then the next one's first, and after the last the ring's first.
  return found == hashes_.end() ? 0 : static_cast<std::size_t>(found - first);
}

std::shared_ptr<const Ring> RingCache::get(std::vector<Ring::Member> members, std::uint32_t points) {
  std::erase_if(entries_, [](const Entry& each) { return each.ring.expired(); });
  for (const Entry& each : entries_) {
    if (each.points != points || each.members != members) continue;
    if (auto ring = each.ring.lock()) return ring;
  }
  auto ring = std::make_shared<const Ring>(members, points);
  entries_.push_back({std::move(members), points, ring});
  return ring;
}

}  // namespace rproxy::balance
