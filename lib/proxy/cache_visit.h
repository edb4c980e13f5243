// What a request is to a route's cache, before anything is looked up.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "cache/key.h"
#include "exchange/exchange.h"
#include "proxy/cache_options.h"
#include "route/predicate.h"

namespace rproxy::proxy {

class CacheConditions {
 public:
  explicit CacheConditions(const CacheOptions& options);

  // Why it has nothing to do with the cache, in the words of RFC 9211 where it has one; empty where it has.
  std::string_view reason_to_pass(const exchange::Request& request) const;
  bool may_store(const exchange::Request& request) const;

 private:
  std::vector<route::Predicates> bypass_;
  std::vector<route::Predicates> no_store_;
};

// The wall clock, in milliseconds since the epoch: by which stored answers age.
std::int64_t wall_ms(const net::Loop& loop);

// In the request's arena.
cache::Key cache_key(const exchange::Request& request, std::string_view scope, const CacheOptions& options);

}  // namespace rproxy::proxy
