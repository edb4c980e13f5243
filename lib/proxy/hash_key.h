// The part of a request that decides which endpoint takes it, as a number that is the same in every worker and every proxy.
#pragma once

#include <cstdint>

#include "balance/hash.h"
#include "exchange/exchange.h"

namespace rproxy::proxy {

// Of the request as the client sent it. Where it has no such header, cookie or parameter, its client's address decides: all the others
// would meet at one endpoint.
std::uint64_t hash_of(const balance::HashKey& key, const exchange::Request& request);

}  // namespace rproxy::proxy
