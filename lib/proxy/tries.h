// One request's way to an answer: from endpoint to endpoint, as long as that is safe, allowed and within budget.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "balance/policy.h"
#include "balance/waiting.h"
#include "exchange/exchange.h"
#include "exchange/replay_body.h"
#include "proxy/request_beside.h"
#include "proxy/time_limit.h"
#include "upstream/pool.h"

namespace rproxy::proxy {

class Tries {
 public:
  // The request's head is as the endpoint shall see it; `home` is whom its client belongs to, or null; `hash` that of its key, where the
  // policy asks for it; `priority` its own where it has to wait for room. All outlive the tries.
  Tries(exchange::Request& request, upstream::Pool& pool, const TimeLimit& limit, upstream::EndpointPtr home = nullptr,
        std::uint64_t hash = 0, upstream::QueuePriority priority = upstream::QueuePriority::kNormal)
      : request_(request),
        pool_(pool),
        options_(pool.options().retry),
        limit_(limit),
        home_(std::move(home)),
        hash_(hash),
        priority_(priority) {}
  Tries(const Tries&) = delete;
  Tries& operator=(const Tries&) = delete;
  ~Tries() = default;

  // The first good answer; where none came, the last bad one, or the last failure.
  net::Task<Result<exchange::Response>> run();
  // Whose answer that was, as long as that lives.
  upstream::Endpoint& answered_by() const { return *answered_by_; }
  // The client still belongs where it did, though another may have answered because that one is full.
  bool is_at_home() const { return home_ != nullptr; }

 private:
  struct Attempt {
    Attempt(upstream::EndpointPool& pool, bool fresh) : at(&pool), is_fresh(fresh) {}
    upstream::EndpointPool* at;
    bool is_fresh;              // wants a new connection
    bool is_connected = false;  // the endpoint may have seen the request...
    TimePoint connected{};      // ...since then
    bool on_reused = false;     // on a connection that had served before
    bool is_told = false;       // its failure is another's, who waited for the same connection
  };
  // An answer that is passed on unless a better one comes.
  struct Held {
    exchange::Response response;
    upstream::Endpoint* endpoint;
    std::string_view name;
    std::chrono::microseconds first_byte;
  };

  void keep_content();
  Result<upstream::Place> next_place(const Error& last);
  std::optional<upstream::Place> place_at_home();
  Result<upstream::Place> pick_another(const Error& last);
  Result<upstream::Place> pick(const balance::TriedSet& tried);
  net::Task<Result<upstream::Place>> wait_for_place(const Error& last);
  net::Task<Result<exchange::Response>> try_next(upstream::Place place, Attempt& attempt);
  net::Task<Result<exchange::Response>> try_two(upstream::Place place, Attempt& attempt, Duration patience);
  bool may_hedge() const;
  std::optional<upstream::Place> find_second(const Attempt& first);
  void set_aside(const Attempt& attempt, Result<exchange::Response> result);
  Result<exchange::Response> take_over(Result<exchange::Response> result, std::unique_ptr<RequestBeside> beside);
  bool is_good(const Result<exchange::Response>& result) const;
  net::Task<Result<exchange::Response>> try_within(exchange::Request& request, upstream::Place place, Attempt& attempt);
  net::Task<Result<exchange::Response>> try_once(exchange::Request& request, upstream::Place place, Attempt& attempt);
  net::Task<Result<upstream::Lease>> connect(const exchange::Request& request, upstream::Place place, Attempt& attempt);
  void note(const Attempt& attempt, const Error& error);
  std::chrono::nanoseconds waited_for(const Attempt& attempt) const;
  static bool is_surprise(const Attempt& attempt, const Error& error);
  bool may_spend();
  bool asks_again(const Attempt& attempt, const Error& error);
  bool asks_again(const Attempt& attempt, const exchange::Response& response);
  // It is not asked again before all others were.
  void leave(const Attempt& attempt);
  void hold(const Attempt& attempt, exchange::Response response);
  Result<exchange::Response> give(const Attempt& attempt, exchange::Response response);
  Result<exchange::Response> give_held();
  void record(balance::EndpointState& state, balance::Outcome outcome, std::chrono::nanoseconds latency) const;
  TimePoint now() const { return request_.loop->now(); }

  exchange::Request& request_;
  upstream::Pool& pool_;
  const upstream::RetryOptions& options_;
  const TimeLimit& limit_;
  upstream::EndpointPtr home_;  // null: any endpoint is as good
  const std::uint64_t hash_;
  const upstream::QueuePriority priority_;
  upstream::Endpoint* answered_by_ = nullptr;
  exchange::ReplayBody* content_ = nullptr;  // null: there is none, or no other attempt
  balance::TriedSet tried_;
  std::size_t attempts_ = 0;  // that have cost something
  bool goes_round_ = false;   // all endpoints have failed it once, which has been counted
  std::optional<Held> held_;
  std::optional<balance::CircuitBreaker::Permit> retrying_;  // one of the retries there may be
};

}  // namespace rproxy::proxy
