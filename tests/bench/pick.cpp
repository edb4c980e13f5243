// What a pick costs, for each policy among 3, 100 and 10,000 endpoints: as all stay as they are, and with something changing before every
// ten-thousandth pick, which makes the policy look at all of them again.
#include <benchmark/benchmark.h>

#include <memory>
#include <string>
#include <vector>

#include "balance/policy.h"
#include "balance/random.h"

namespace rproxy::balance {
namespace {

const TimePoint kNow = TimePoint{} + std::chrono::hours(1);
const TriedSet kNone;

struct Fleet {
  explicit Fleet(std::int64_t size) {
    for (std::int64_t i = 0; i < size; ++i) {
      EndpointOptions options;
      options.address =
          HostPort::parse("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250) + ":80").value();
      options.weight = static_cast<std::uint32_t>(1 + i % 3);
      owned.push_back(std::make_unique<EndpointState>(std::move(options), peers));
      owned.back()->record(Outcome::kSuccess, std::chrono::microseconds(500 + i % 100), kNow);
      states.push_back(owned.back().get());
    }
  }

  std::shared_ptr<Peers> peers = std::make_shared<Peers>();
  std::vector<std::unique_ptr<EndpointState>> owned;
  std::vector<EndpointState*> states;
};

PolicyOptions options_of(PolicyKind kind) {
  PolicyOptions options;
  options.kind = kind;
  options.load_factor = 125;
  return options;
}

void pick(benchmark::State& state, PolicyKind kind, std::uint64_t change_every) {
  Fleet fleet(state.range(0));
  const auto policy = make_policy(options_of(kind), fleet.states, 1);
  benchmark::DoNotOptimize(policy->pick({kNone, kNow, 0}));  // looks at all, and makes the ring
  Random random(1);
  std::uint64_t picks = 0;
  for (auto _ : state) {
    if (change_every != 0 && ++picks % change_every == 0) fleet.peers->bump();
    const auto at = policy->pick({kNone, kNow, random()});
    fleet.states[*at]->begin();
    fleet.states[*at]->end();
  }
}

void add(const char* name, PolicyKind kind, std::uint64_t change_every) {
  benchmark::RegisterBenchmark(name, [=](benchmark::State& state) { pick(state, kind, change_every); })
      ->Arg(3)
      ->Arg(100)
      ->Arg(10'000);
}

}  // namespace
}  // namespace rproxy::balance

int main(int argc, char** argv) {
  using rproxy::balance::PolicyKind;
  for (const auto kind : {PolicyKind::kRoundRobin, PolicyKind::kLeastConn, PolicyKind::kP2cEwma, PolicyKind::kRandom,
                          PolicyKind::kHash}) {
    const std::string name(rproxy::balance::to_string(kind));
    rproxy::balance::add(name.c_str(), kind, 0);
    rproxy::balance::add((name + "/a_change_in_10000").c_str(), kind, 10'000);
  }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
