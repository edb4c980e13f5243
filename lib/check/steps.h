// What happens to a forwarded request on its way, as an operator has configured it.
#pragma once

#include <vector>

#include "check/explanation.h"
#include "proxy/options.h"
#include "upstream/options.h"

namespace rproxy::check {

// Before the upstream is chosen: what the route does.
void add_route_steps(const proxy::ForwardAction& action, std::vector<Explanation::Named>& steps);
// Then: what its upstream does.
void add_upstream_steps(const upstream::Options& upstream, std::vector<Explanation::Named>& steps);

}  // namespace rproxy::check
