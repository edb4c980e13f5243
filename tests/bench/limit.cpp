// What a limit costs: nanoseconds per decision, permit, ban asked for and network found, by one thread and by two; bytes per key. Beside the table's
// lock stands what a compare-and-swap of the bare states would cost, without making room and so without being exact where that happens.
#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "limit/bans.h"
#include "limit/concurrency_table.h"
#include "limit/event_table.h"
#include "limit/network_file.h"
#include "limit/network_set.h"
#include "limit/rate_table.h"

namespace rproxy::limit {
namespace {

constexpr std::size_t kKeys = 1'000'000;
const TimePoint kNow = TimePoint{} + std::chrono::hours(1);
const KeyHasher kHasher(1);

std::uint64_t next_random(std::uint64_t& state) {
  state ^= state << 13;
  state ^= state >> 7;
  return state ^= state << 17;
}

Key key_of(std::uint64_t number) { return kHasher.of(1, {reinterpret_cast<const char*>(&number), sizeof number}); }
std::uint64_t seed_of(const benchmark::State& state) {
  return 0x9e3779b97f4a7c15U * (1 + static_cast<unsigned>(state.thread_index()));
}

const Gcra& limit() {
  static const Gcra gcra = Gcra::make({100, Duration(1'000)}, 50).value();
  return gcra;
}

void hash(benchmark::State& state) {
  IpAddress address = IpAddress::parse("192.0.2.1").value();
  for (auto _ : state) {
    ++address.bytes[15];
    benchmark::DoNotOptimize(kHasher.of(1, address));
  }
}

void decide_pure(benchmark::State& state) {
  std::uint64_t tat = 0;
  std::uint64_t now = nanoseconds_of(kNow);
  for (auto _ : state) {
    const auto outcome = limit().decide(tat, now += 1'000'000);
    tat = outcome.tat;
    benchmark::DoNotOptimize(outcome.decision);
  }
}

RateTable& rates() {
  static RateTable table(kKeys);
  return table;
}

// Of so many keys that are asked for in any order.
void decide(benchmark::State& state) {
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t random = seed_of(state);
  TimePoint now = kNow;
  for (auto _ : state) {
    now += std::chrono::nanoseconds(100);
    benchmark::DoNotOptimize(rates().decide(limit(), key_of(next_random(random) % keys), now));
  }
}

// As one key is let in each time: the threads write to the same place.
void decide_allowed(benchmark::State& state) {
  static const Gcra fast = Gcra::make({1'000'000, Duration(1'000)}, 1'000).value();
  TimePoint now = kNow;
  for (auto _ : state) {
    now += std::chrono::microseconds(3);
    benchmark::DoNotOptimize(rates().decide(fast, key_of(7), now));
  }
}

// Each has not been seen, and makes room for itself.
void decide_flood(benchmark::State& state) {
  std::uint64_t random = seed_of(state);
  for (auto _ : state) benchmark::DoNotOptimize(rates().decide(limit(), key_of(next_random(random)), kNow));
}

// The same shape, but for the lock.
class SwappedTable {
 public:
  void decide(Key key, TimePoint now, Decision& decision) {
    Bucket& bucket = buckets_[((key.value >> 32) * kBuckets) >> 32];
    const auto tag = static_cast<std::uint32_t>(key.value);
    std::size_t at = 0;
    while (at < 15) {
      std::uint32_t there = bucket.tags[at].load(std::memory_order_relaxed);
      if (there == tag || (there == 0 && bucket.tags[at].compare_exchange_strong(there, tag))) break;
      ++at;
    }
    if (at == 15) at = tag % 15;
    std::uint64_t tat = bucket.tats[at].load(std::memory_order_relaxed);
    for (;;) {
      const auto outcome = limit().decide(tat, nanoseconds_of(now));
      decision = outcome.decision;
      if (outcome.tat == tat || bucket.tats[at].compare_exchange_weak(tat, outcome.tat, std::memory_order_relaxed))
        return;
    }
  }

 private:
  static constexpr std::size_t kBuckets = kKeys / 8;
  struct alignas(64) Bucket {
    std::array<std::atomic<std::uint32_t>, 16> tags{};
    std::array<std::atomic<std::uint64_t>, 15> tats{};
  };
  std::unique_ptr<Bucket[]> buckets_ = std::make_unique<Bucket[]>(kBuckets);
};

void decide_swapped(benchmark::State& state) {
  static SwappedTable table;
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t random = seed_of(state);
  TimePoint now = kNow;
  Decision decision;
  for (auto _ : state) {
    now += std::chrono::nanoseconds(100);
    table.decide(key_of(next_random(random) % keys), now, decision);
    benchmark::DoNotOptimize(decision);
  }
}

void permit(benchmark::State& state) {
  static ConcurrencyTable table(100'000);
  const auto keys = static_cast<std::uint64_t>(state.range(0));
  std::uint64_t random = seed_of(state);
  for (auto _ : state) benchmark::DoNotOptimize(table.try_acquire(key_of(next_random(random) % keys), 10));
}

void event(benchmark::State& state) {
  static EventTable table(100'000);
  std::uint64_t random = seed_of(state);
  const EventLimit tenth{10, Duration(60'000)};
  for (auto _ : state) benchmark::DoNotOptimize(table.record(key_of(next_random(random) % 100'000), tenth, kNow));
}

const Bans& bans(std::int64_t count) {
  static std::vector<std::pair<std::int64_t, std::unique_ptr<Bans>>> made;
  for (const auto& [size, each] : made) {
    if (size == count) return *each;
  }
  auto& out = *made.emplace_back(count, std::make_unique<Bans>(100'000)).second;
  for (std::int64_t i = 0; i < count; ++i) {
    out.add(key_of(static_cast<std::uint64_t>(i)), "203.0.113.1", kNow + std::chrono::hours(1), kNow);
  }
  return out;
}

// So many are banned; every other one who is looked for is, if that many are.
void ban(benchmark::State& state) {
  static const Bans* asked = nullptr;
  if (state.thread_index() == 0) asked = &bans(state.range(0));
  std::uint64_t random = seed_of(state);
  for (auto _ : state) benchmark::DoNotOptimize(asked->until(key_of(next_random(random) % 200'000), kNow));
}

IpAddress random_address(std::uint64_t& random, bool v4) {
  IpAddress out = IpAddress::parse(v4 ? "0.0.0.0" : "2a00::").value();
  const std::uint64_t bits = next_random(random);
  // Registries give out some /12 of IPv6, and of these some thousand /29 to /32.
  for (std::size_t i = v4 ? 12 : 1; i < (v4 ? 16 : 9); ++i)
    out.bytes[i] = static_cast<std::uint8_t>(bits >> (i % 8 * 8));
  if (!v4) out.bytes[1] &= 0x0f;
  return out;
}

const NetworkSet& networks(bool v4) {
  const auto make = [](bool of_v4) {
    NetworkSetBuilder builder;
    std::uint64_t random = 88172645463325252U;
    for (int i = 0; i < 100'000; ++i) {
      const auto prefix = of_v4 ? 112 + next_random(random) % 17 : 29 + next_random(random) % 36;
      builder.add({random_address(random, of_v4), static_cast<std::uint8_t>(prefix)}, 1);
    }
    return builder.build();
  };
  static const NetworkSet four = make(true);
  static const NetworkSet six = make(false);
  return v4 ? four : six;
}

void find_network(benchmark::State& state, bool v4) {
  const NetworkSet& set = networks(v4);
  std::uint64_t random = seed_of(state);
  std::vector<IpAddress> asked(1 << 16);
  for (std::size_t i = 0; i < asked.size(); ++i) {
    // Half of them are in one for certain.
    asked[i] =
        i % 2 == 0 ? random_address(random, v4) : set.entries()[next_random(random) % set.size()].network.address;
  }
  std::size_t at = 0;
  for (auto _ : state) benchmark::DoNotOptimize(set.find(asked[at++ % asked.size()]));
}

// A file of 100,000 lines, until it can be asked.
void read_networks(benchmark::State& state) {
  std::string text;
  for (const auto& each : networks(true).entries()) text += each.network.to_string() + " a list\n";
  for (auto _ : state) {
    NetworkSetBuilder builder;
    read_network_file(text, 1, builder);
    benchmark::DoNotOptimize(builder.build());
  }
}

void print_sizes() {
  std::printf("bytes per key: rate %zu, concurrency %zu, events %zu; a table of a million rates: %zu\n",
              RateTable::kBytesPerKey, ConcurrencyTable::kBytesPerKey, EventTable::kBytesPerKey,
              RateTable(kKeys).bytes());
  for (const bool v4 : {true, false}) {
    const NetworkSet& set = networks(v4);
    std::printf("networks of %s: %zu, %zu bytes each\n", v4 ? "IPv4" : "IPv6", set.size(), set.bytes() / set.size());
  }
}

void register_benchmarks() {
  const auto two = [](const char* name, void (*run)(benchmark::State&)) {
    return benchmark::RegisterBenchmark(name, run)->ThreadRange(1, 2)->UseRealTime();
  };
  benchmark::RegisterBenchmark("hash", hash);
  benchmark::RegisterBenchmark("decide/pure", decide_pure);
  two("decide/keys", decide)->Arg(1)->Arg(10'000)->Arg(kKeys);
  two("decide/swapped/keys", decide_swapped)->Arg(1)->Arg(10'000)->Arg(kKeys);
  two("decide/allowed", decide_allowed);
  two("decide/flood", decide_flood);
  two("permit/keys", permit)->Arg(1)->Arg(100'000);
  two("event", event);
  two("ban/banned", ban)->Arg(0)->Arg(1'000)->Arg(100'000);
  benchmark::RegisterBenchmark("network/read_file", read_networks)->Unit(benchmark::kMillisecond);
  for (const bool v4 : {true, false}) {
    benchmark::RegisterBenchmark(v4 ? "network/v4" : "network/v6",
                                 [v4](benchmark::State& state) { find_network(state, v4); })
        ->ThreadRange(1, 2)
        ->UseRealTime();
  }
}

}  // namespace
}  // namespace rproxy::limit

int main(int argc, char** argv) {
  rproxy::limit::print_sizes();
  rproxy::limit::register_benchmarks();
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
