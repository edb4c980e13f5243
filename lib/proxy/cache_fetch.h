// One fetch on behalf of all who wait for it: asks, decides what becomes of the answer, and stores it as it comes.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>

#include "cache/reuse.h"
#include "downstream/users.h"
#include "exchange/exchange.h"
#include "proxy/cache_options.h"
#include "proxy/detached_request.h"
#include "proxy/wakeup.h"
#include "storage/cache.h"

namespace rproxy::proxy {

class CacheFilling;

class CacheFetch final : public exchange::InterimSink {
 public:
  // What it is about; all of it outlives the fetch, or is its own.
  struct Order {
    storage::Cache& cache;
    const cache::Policy& policy;
    storage::FlightPtr flight;
    cache::EntryPtr stale;  // to be validated; null: there is none
    std::string_view key;   // its text and extras are copied
    std::string_view extras;
    cache::RequestDirectives asked;
    bool may_store = true;
  };

  CacheFetch(const exchange::Request& request, const Order& order);
  CacheFetch(const CacheFetch&) = delete;
  CacheFetch& operator=(const CacheFetch&) = delete;
  // A flight that nobody has settled is another's now.
  ~CacheFetch();

  // Settles the flight, and ends when the content has come. `self` is this.
  static net::Task<void> run(std::shared_ptr<CacheFetch> self, exchange::Handler& next, downstream::Use use);

  // ---- For the request it was started by, on the same loop.
  // Interim answers that have come, in their order.
  bool has_interim() const { return !interim_.empty(); }
  http::ResponseHead take_interim();
  // Told of them.
  void set_listener(Wakeup* wakeup) { wakeup_ = wakeup; }
  // An answer that can't be shared is this request's. Lives as long as this.
  Result<exchange::Response>& own_answer() { return *answer_; }
  const exchange::Trace& trace() const { return request_.trace; }
  // Whoever started it has left, and takes no answer of its own.
  void leave();

  std::uint16_t status() const { return status_; }

  net::Task<Result<void>> interim(http::ResponseHead& head) override;

 private:
  void make_conditional();
  bool falls_back(const Result<exchange::Response>& response) const;
  void settle_validated(const exchange::Response& response);
  void settle_alone(Result<exchange::Response> response);
  void settle_failed(Result<exchange::Response> response);
  cache::StoreVerdict judge(const exchange::Response& response, const cache::ResponseDirectives& directives,
                            const cache::Freshness& freshness) const;
  net::Task<void> store(exchange::Response response, const cache::ResponseDirectives& directives,
                        const cache::Freshness& freshness);
  net::Task<void> fill(CacheFilling& filling, cache::Content& content, exchange::Body* body);
  void close(storage::Flight::Outcome outcome, cache::EntryPtr entry = nullptr,
             std::optional<Error> error = std::nullopt);
  std::uint64_t object_max() const;

  DetachedRequest detached_;
  exchange::Request& request_ = detached_.request();
  http::RequestHead asked_head_;  // as the client sent it: what Vary is compared with
  storage::Cache& cache_;
  const cache::Policy& policy_;
  storage::FlightPtr flight_;
  cache::EntryPtr stale_;
  cache::Key key_;
  cache::RequestDirectives asked_;
  bool may_store_;
  bool starter_is_there_ = true;
  bool is_closed_ = false;
  bool was_refused_ = false;  // by the store, as something was purged meanwhile
  std::uint16_t status_ = 0;
  const std::uint64_t purges_;  // when it was asked for
  std::int64_t requested_ms_ = 0;
  std::int64_t received_ms_ = 0;
  cache::StoreVerdict verdict_ = cache::StoreVerdict::kStore;
  std::deque<http::ResponseHead> interim_;
  Wakeup* wakeup_ = nullptr;
  std::optional<Result<exchange::Response>> answer_;
};

}  // namespace rproxy::proxy
