// How often what is asked for is still there: S3-FIFO against LRU, on traces with few hot objects and many cold ones, with scans between, and
// with a working set that moves. All objects cost the same; the numbers are hits in percent.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <list>
#include <memory>
#include <random>
#include <unordered_map>
#include <vector>

#include "storage/eviction.h"

namespace {

using rproxy::storage::Eviction;
using Trace = std::vector<std::uint64_t>;

constexpr std::size_t kObjects = 100'000;
constexpr std::size_t kRequests = 2'000'000;

// Ranks by Zipf's law, by the inverse of its sum.
class Zipf {
 public:
  explicit Zipf(double exponent) {
    double total = 0;
    for (std::size_t i = 0; i < kObjects; ++i)
      sums_.push_back(total += std::pow(static_cast<double>(i + 1), -exponent));
  }
  std::uint64_t operator()(std::mt19937_64& random) const {
    const double at = std::uniform_real_distribution<>(0, sums_.back())(random);
    return static_cast<std::uint64_t>(std::ranges::lower_bound(sums_, at) - sums_.begin());
  }

 private:
  std::vector<double> sums_;
};

Trace zipf_trace(double exponent) {
  std::mt19937_64 random(1);
  const Zipf zipf(exponent);
  Trace trace;
  for (std::size_t i = 0; i < kRequests; ++i) trace.push_back(zipf(random));
  return trace;
}

// A crawler passes by: of ten requests three are for something nobody asks for again.
Trace scanned_trace() {
  std::mt19937_64 random(2);
  const Zipf zipf(0.9);
  Trace trace;
  for (std::size_t i = 0; i < kRequests; ++i) trace.push_back(i % 10 < 3 ? kObjects + i : zipf(random));
  return trace;
}

// News: what is hot is something else after a while.
Trace moving_trace() {
  std::mt19937_64 random(3);
  const Zipf zipf(0.9);
  Trace trace;
  for (std::size_t i = 0; i < kRequests; ++i) trace.push_back(zipf(random) + i / 100'000 * 1'000);
  return trace;
}

double lru(const Trace& trace, std::size_t room) {
  std::list<std::uint64_t> order;
  std::unordered_map<std::uint64_t, std::list<std::uint64_t>::iterator> known;
  std::size_t hits = 0;
  for (const auto object : trace) {
    if (const auto found = known.find(object); found != known.end()) {
      ++hits;
      order.splice(order.begin(), order, found->second);
      continue;
    }
    order.push_front(object);
    known[object] = order.begin();
    if (order.size() <= room) continue;
    known.erase(order.back());
    order.pop_back();
  }
  return 100.0 * static_cast<double>(hits) / static_cast<double>(trace.size());
}

double s3_fifo(const Trace& trace, std::size_t room) {
  Eviction eviction(room);
  std::unordered_map<std::uint64_t, std::unique_ptr<Eviction::Link>> known;
  std::size_t hits = 0;
  for (const auto object : trace) {
    if (const auto found = known.find(object); found != known.end()) {
      ++hits;
      eviction.use(*found->second);
      continue;
    }
    auto link = std::make_unique<Eviction::Link>();
    link->digest = object * 0x9e3779b97f4a7c15;
    link->cost = 1;
    eviction.insert(*link);
    known[object] = std::move(link);
    while (eviction.is_over()) {
      const Eviction::Link* gone = eviction.evict();
      known.erase(gone->digest * 0xf1de83e19937733d);  // the inverse of the factor above
    }
  }
  return 100.0 * static_cast<double>(hits) / static_cast<double>(trace.size());
}

}  // namespace

int main() {
  const std::pair<const char*, Trace> traces[] = {{"zipf 0.7", zipf_trace(0.7)},
                                                  {"zipf 0.9", zipf_trace(0.9)},
                                                  {"zipf 1.1", zipf_trace(1.1)},
                                                  {"zipf 0.9, scanned", scanned_trace()},
                                                  {"zipf 0.9, moving", moving_trace()}};
  fmt::print("{:<20} {:>8} {:>8} {:>8}\n", "trace", "room", "lru", "s3-fifo");
  for (const auto& [name, trace] : traces) {
    for (const std::size_t room : {1'000U, 10'000U}) {
      fmt::print("{:<20} {:>8} {:>7.2f}% {:>7.2f}%\n", name, room, lru(trace, room), s3_fifo(trace, room));
    }
  }
}
