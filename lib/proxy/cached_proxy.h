// A route's cache in front of what answers it (RFC 9111): fresh answers are given at once, stale ones validated or given by policy, and what
// is missing is fetched once for all who wait for it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cache/key.h"
#include "cache/reuse.h"
#include "downstream/users.h"
#include "exchange/exchange.h"
#include "net/task_group.h"
#include "proxy/cache_fetch.h"
#include "proxy/cache_options.h"
#include "proxy/cache_visit.h"
#include "proxy/cached_answer.h"
#include "storage/cache.h"

namespace rproxy::proxy {

class CachedProxy final : public exchange::Handler {
 public:
  // All but `next` outlive the handler. `scope`: what keeps its answers apart from other routes'. `name`: this cache's, for Cache-Status.
  // `users`: of the handlers this is one of; fetches are among them.
  CachedProxy(storage::Cache& cache, const CacheOptions& options, std::string scope, std::string_view name,
              downstream::Users& users, std::unique_ptr<exchange::Handler> next);
  ~CachedProxy() override;

  net::Task<Result<exchange::Response>> handle(exchange::Request& request) override;

 private:
  // What a request is to the cache.
  struct Visit {
    cache::Key key;
    cache::RequestDirectives asked;
    std::optional<http::RangeSpec> range;
    storage::Wanted wanted(const exchange::Request& request) const { return {key, request.head.fields, range}; }
  };
  Visit visit(const exchange::Request& request) const;

  net::Task<Result<exchange::Response>> look_further(exchange::Request& request, Visit visit);
  net::Task<Result<exchange::Response>> go_on(exchange::Request& request, const Visit& visit, cache::EntryPtr entry);
  net::Task<Result<exchange::Response>> pass(exchange::Request& request, std::string_view why);
  net::Task<Result<exchange::Response>> refuse(exchange::Request& request);
  net::Task<Result<exchange::Response>> serve(exchange::Request& request, cache::EntryPtr entry, CacheOutcome outcome);
  net::Task<Result<exchange::Response>> obtain(exchange::Request& request, Visit visit, cache::EntryPtr seen);
  net::Task<Result<exchange::Response>> refresh_by_head(exchange::Request& request, Visit visit);

  static bool needs_own_answer(const exchange::Request& request, const Visit& visit);
  exchange::Response give(exchange::Request& request, const cache::EntryPtr& entry, const cache::EntryPtr& seen,
                          const CacheFetch* own, std::string_view why);
  Result<exchange::Response> take_own(exchange::Request& request, std::shared_ptr<CacheFetch> fetch,
                                      std::string_view why);
  exchange::Response answer(exchange::Request& request, const cache::EntryPtr& entry, const CacheOutcome& outcome);
  void tell(exchange::Request& request, exchange::Response& response, const CacheOutcome& outcome,
            std::int64_t fresh_for) const;
  void invalidate(const exchange::Request& request, const exchange::Response& response);
  std::shared_ptr<CacheFetch> start(const exchange::Request& request, const Visit& visit, storage::FlightPtr flight,
                                    const cache::EntryPtr& seen);
  void validate_meanwhile(const exchange::Request& request, const Visit& visit, const cache::EntryPtr& entry);

  storage::Cache& cache_;
  const CacheOptions& options_;
  const std::string scope_;
  const std::string_view name_;
  downstream::Users& users_;
  const CacheConditions conditions_;
  std::unique_ptr<exchange::Handler> next_;
  net::TaskGroup fetches_;  // goes first
};

}  // namespace rproxy::proxy
