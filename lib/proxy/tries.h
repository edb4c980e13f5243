// One request's way to an answer: from endpoint to endpoint, as long as that is safe, allowed and within budget.
#pragma once

#include <chrono>
#include <cstddef>
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
  // The request's head is as the endpoint shall see it. All outlive the tries.
  Tries(exchange::Request& request, upstream::Pool& pool, const TimeLimit& limit)
      : request_(request), pool_(pool), options_(pool.options().retry), limit_(limit) {}
  Tries(const Tries&) = delete;
  Tries& operator=(const Tries&) = delete;
  ~Tries() = default;

  // The first good answer; where none came, the last bad one, or the last failure.
  net::Task<Result<exchange::Response>> run();

 private:
  struct Attempt {
    Attempt(upstream::Place taken, TimePoint now, bool wants_fresh = false)
        : place(std::move(taken)), at(&place->pool()), began(now), is_fresh(wants_fresh) {}
    std::optional<upstream::Place> place;  // until the connection has it
    upstream::EndpointPool* at;
    TimePoint began;
    bool is_fresh = false;      // wants a new connection
    bool is_connected = false;  // the endpoint may have seen the request
    bool on_reused = false;     // on a connection that had served before
    bool is_told = false;       // its failure is another's, who waited for the same connection
  };
  // An answer that is passed on unless a better one comes.
  struct Held {
    exchange::Response response;
    std::string_view endpoint;
    std::chrono::microseconds first_byte;
  };

  void keep_content();
  std::optional<upstream::Place> pick(const Error& last);
  net::Task<Result<exchange::Response>> try_next(Attempt& attempt);
  net::Task<Result<exchange::Response>> try_two(Attempt& attempt, Duration patience);
  bool may_hedge() const;
  std::optional<Attempt> find_second(const Attempt& first);
  void set_aside(const Attempt& attempt, Result<exchange::Response> result);
  Result<exchange::Response> take_over(Result<exchange::Response> result, std::unique_ptr<RequestBeside> beside);
  bool is_good(const Result<exchange::Response>& result) const;
  net::Task<Result<exchange::Response>> try_within(exchange::Request& request, Attempt& attempt);
  net::Task<Result<exchange::Response>> try_once(exchange::Request& request, Attempt& attempt);
  net::Task<Result<upstream::Lease>> connect(const exchange::Request& request, Attempt& attempt);
  void note(const Attempt& attempt, const Error& error);
  bool asks_again(const Attempt& attempt, const Error& error);
  bool asks_again(const Attempt& attempt, const exchange::Response& response);
  void hold(exchange::Response response);
  Result<exchange::Response> give(exchange::Response response);
  void record(const Attempt& attempt, balance::Outcome outcome, std::chrono::nanoseconds latency) const;
  TimePoint now() const { return request_.loop->now(); }

  exchange::Request& request_;
  upstream::Pool& pool_;
  const upstream::RetryOptions& options_;
  const TimeLimit& limit_;
  exchange::ReplayBody* content_ = nullptr;  // null: there is none, or no other attempt
  balance::TriedSet tried_;
  std::size_t attempts_ = 0;  // that have cost something
  bool goes_round_ = false;   // all endpoints have failed it once, which has been counted
  std::optional<Held> held_;
};

}  // namespace rproxy::proxy
