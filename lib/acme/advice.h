// What to do about a failure, for people.
#pragma once

#include <string>

#include "acme/client.h"
#include "acme/wall_time.h"

namespace rproxy::acme {

// One phrase, without an end; "" where there is nothing to say that the failure does not.
std::string advice_for(const Failure& failure, WallTime now);

}  // namespace rproxy::acme
