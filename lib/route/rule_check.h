// Whether rules make sense by themselves and beside each other.
#pragma once

#include <span>
#include <vector>

#include "route/router.h"
#include "route/rule.h"

namespace rproxy::route {

// Appends bad hosts and paths, duplicates and ties. Patterns are the compiler's to judge.
void check_rules(std::span<const Rule> rules, std::vector<RuleProblem>& problems);

}  // namespace rproxy::route
