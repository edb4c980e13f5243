// Several clients at once share the connections: each gets its own answers, whatever happens to the others.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "sim/house.h"
#include "sim/seeds.h"

namespace rproxy::sim {
namespace {

constexpr std::size_t kClients = 5;

std::vector<Scenario> crowd(std::mt19937_64& random) {
  std::vector<Scenario> all;
  while (all.size() < kClients) {
    const Scenario& one = scenarios()[random() % scenarios().size()];
    if (!one.is_whole_only) all.push_back(one.below(std::to_string(all.size())));
  }
  return all;
}

// The same before a door that lets one through at a time.
std::vector<Scenario> queue(std::mt19937_64& random) {
  auto all = crowd(random);
  // Who switches protocols keeps his place for as long as he likes, and a second try needs one beside the first.
  std::erase_if(all, [](const Scenario& one) { return one.expected.front().status == "101" || one.hedges; });
  if (all.empty()) all.push_back(scenarios().front());
  all.front().room =
      std::array{Scenario::Room::kServers, Scenario::Room::kUpstream, Scenario::Room::kConnections}[random() % 3];
  return all;
}

std::string names(const std::vector<Scenario>& all) {
  std::string result;
  for (const Scenario& scenario : all) result += " " + scenario.name;
  return result;
}

using Choose = std::vector<Scenario> (*)(std::mt19937_64&);

void expect_own_answers(Choose choose, std::uint64_t runs) {
  for (const std::uint64_t seed : seeds(runs)) {
    std::mt19937_64 random(seed);
    const auto scenarios = choose(random);
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed) + names(scenarios));
    House house(scenarios, {seed, true, Fault::kNone, 0});
    ASSERT_TRUE(house.run());
    if (std::none_of(scenarios.begin(), scenarios.end(), [](const Scenario& one) { return one.spoils_kept; })) {
      house.check_expected();
    }
    house.check_invariants();
    if (testing::Test::HasFailure()) break;
  }
}

void expect_survival(Choose choose) {
  for (const std::uint64_t seed : seeds(300)) {
    std::mt19937_64 random(seed);
    const auto scenarios = choose(random);
    const Fault fault = std::array{Fault::kReset, Fault::kEnd, Fault::kStall}[random() % 3];
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed) + names(scenarios));
    House house(scenarios, {seed, true, fault, 1 + random() % 300});
    ASSERT_TRUE(house.run());
    house.check_invariants();
    if (testing::Test::HasFailure()) break;
  }
}

TEST(Crowd, GetsEachItsOwnAnswers) { expect_own_answers(crowd, 150); }
TEST(Crowd, SurvivesAFailure) { expect_survival(crowd); }

TEST(Queue, GetsEachItsOwnAnswers) { expect_own_answers(queue, 300); }
TEST(Queue, SurvivesAFailure) { expect_survival(queue); }

// At any step one client after the other leaves, whether it waits or is served.
TEST(Queue, LosesNoRoomToWhoLeaves) {
  for (const std::uint64_t seed : seeds(100)) {
    std::mt19937_64 random(seed);
    const auto scenarios = queue(random);
    SCOPED_TRACE("RPROXY_SIM_SEED=" + std::to_string(seed) + names(scenarios));
    House house(scenarios, {seed, true, Fault::kNone, 0});
    ASSERT_TRUE(house.run(random() % 200));
    house.cancel();
    ASSERT_TRUE(house.run());
    house.check_invariants();
    if (HasFailure()) break;
  }
}

}  // namespace
}  // namespace rproxy::sim
