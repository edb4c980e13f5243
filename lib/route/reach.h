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
  std::vector<std::size_t>
      shadowing;  // kUnreachable: the rules that take everything of it, the one that takes `sample` first
};

// Looks for a request that falls to `rule`: where an example of what it matches goes to another rule, what that one asks is excluded, one
// condition after the other, and the next example is of what is left; the rule can't be reached when nothing is. kUnknown where that takes
// too long, or where patterns let neither be certain. `rules` are the router's.
Reach reach_of(std::size_t rule, std::span<const Rule> rules, const Router& router);

// What matches `rule`.
Region region_of(const Rule& rule);

}  // namespace rproxy::route
