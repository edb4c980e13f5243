// One look at all names and files of all upstreams, before there is a loop to keep them up to date on.
#pragma once

#include <vector>

#include "net/options.h"
#include "upstream/discovery.h"

namespace rproxy::upstream {

// Blocks until everything has been asked for, `limit` at most; at once where nothing has to be. `known[i]`, where it is there, is what was
// known of upstreams[i] before. What comes out is what their Discovery goes on from.
std::vector<DiscoverySources> look_once(const std::vector<const Options*>& upstreams,
                                        const net::ResolverOptions& resolver, const ParseServerList& parse_file,
                                        const std::vector<DiscoverySources>& known, Duration limit);

}  // namespace rproxy::upstream
