// What a route does with a cache.
#pragma once

#include <vector>

#include "cache/policy.h"
#include "route/rule.h"

namespace rproxy::proxy {

struct CacheOptions {
  bool enabled = false;
  cache::Policy policy;
  std::vector<route::Match> bypass;    // requests that one of these holds for have nothing to do with the cache
  std::vector<route::Match> no_store;  // their answers are not stored
  ByteSize slice{0};                   // large objects are asked for and stored by ranges of that size; 0: as wholes
  bool cache_status = true;            // tell clients what the cache did (RFC 9211)
  bool operator==(const CacheOptions&) const = default;
};

}  // namespace rproxy::proxy
