// Which rules no request can ever reach, because others take everything of them: proven, or disproved by a request that does.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "route/region.h"
#include "route/router.h"
#include "route/rule.h"
#include "route/sample.h"

namespace rproxy::route {

struct Reach {
  enum class Kind : std::uint8_t { kReachable, kUnreachable, kUnknown } kind = Kind::kUnknown;
  // kReachable: a request that the Router gives to the rule. kUnreachable: one that matches the rule, and that another takes; there is none
  // where `shadowing` is empty, for then nothing matches the rule at all.
  Sample sample;
  // kUnreachable: the rules that take everything of it, the one that takes `sample` first.
  std::vector<std::size_t> shadowing;
  std::size_t steps = 0;  // of the search
};

// Looks for a request that falls to `rule`: where an example of what it matches goes to another rule, what that one asks is excluded, one
// condition after the other, and the next example is of what is left; the rule can't be reached when nothing is. kUnknown where that takes
// too many steps, or where patterns let neither be certain. `rules` are the router's.
constexpr std::size_t kReachStepsMax = 4000;
Reach reach_of(std::size_t rule, std::span<const Rule> rules, const Router& router,
               std::size_t steps_max = kReachStepsMax);

// What matches `rule`; both rules.
Region region_of(const Rule& rule);
Region intersection(const Rule& a, const Rule& b);
// Appends the parts of `region` that `taker` leaves: in each the conditions before one hold, and that one does not.
void subtract(const Region& region, const Match& taker, std::vector<Region>& out);

}  // namespace rproxy::route
