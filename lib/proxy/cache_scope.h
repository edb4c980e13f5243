// What keeps apart the answers of routes that send the same URL to different places.
#pragma once

#include <string>

#include "proxy/options.h"

namespace rproxy::proxy {

// The upstreams that may answer, and where the request is changed on its way something of that: a word without spaces. The same as long as
// the configuration says the same, so that it can be found again on a disk.
std::string cache_scope(const ForwardAction& action);

}  // namespace rproxy::proxy
