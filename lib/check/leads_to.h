// Where a route leads, in a few words.
#pragma once

#include <string>

#include "proxy/options.h"

namespace rproxy::check {

// "shop", "shop 90, canary 10", "308 https://shop.com{uri}", "404", "files /srv/www".
std::string leads_to(const proxy::Action& action);

}  // namespace rproxy::check
