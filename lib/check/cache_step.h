// What a route's cache makes of a request.
#pragma once

#include <string>

#include "exchange/exchange.h"
#include "proxy/options.h"

namespace rproxy::check {

// The key it would be looked up by, or why it would not be. `request` as it came.
std::string cache_step(const exchange::Request& request, const proxy::ForwardAction& action);

}  // namespace rproxy::check
