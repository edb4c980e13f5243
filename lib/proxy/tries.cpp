#include "proxy/tries.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "exchange/until_done.h"
#include "proxy/failure_kind.h"
#include "proxy/retry_rules.h"
#include "upstream/client.h"

namespace rproxy::proxy {

using exchange::Request;
using exchange::Response;

namespace {

using Resource = balance::CircuitBreaker::Resource;

// An end to the search even where each endpoint fails at once.
constexpr std::size_t kTriesMax = 64;
// Slices of an answer nobody wants that are taken off its connection, so that it can be kept: what has come with the head.
constexpr int kDroppedMax = 4;
// Of kept connections that an endpoint may end just as they are used, without an answer in between.
constexpr std::uint32_t kSurprisesMax = 64;

tl::unexpected<Error> overloaded(std::string why) {
  return fail(ErrorCode::kOverloaded, Side::kUpstream, Retry::kSafe, std::move(why));
}

void drop(Response response) {
  if (response.body == nullptr) return;
  for (int i = 0; i < kDroppedMax; ++i) {
    auto next = response.body->read();
    if (!next.is_ready()) return;
    const auto slice = std::move(next).take();
    if (!slice || slice->last) return;
  }
}

}  // namespace

net::Task<Result<Response>> Tries::run() {
  pool_.budget().count_request(request_.trace.start);
  keep_content();
  Error last{ErrorCode::kNoEndpoint, Side::kUpstream, Retry::kNever, 0, {}};
  bool is_fresh = false;
  std::size_t asked = 0;
  for (std::size_t tries = 0; tries < kTriesMax; ++tries) {
    if (limit_.has_passed(now())) {
      last = limit_.error();
      break;
    }
    auto place = next_place(last);
    // An answer that is held has its place yet: who waited with one would be in the way of others who do.
    const bool is_full = !place && place.error().code == ErrorCode::kOverloaded;
    if (is_full && !held_) place = co_await wait_for_place(last);
    if (!place) {
      last = std::move(place.error());
      break;
    }
    if (asked++ > 0) ++request_.trace.retries;
    Attempt attempt(place->pool(), is_fresh);
    auto response = co_await try_next(std::move(*place), attempt);
    if (response) {
      if (!asks_again(attempt, *response)) co_return give(attempt, std::move(*response));
      hold(attempt, std::move(*response));
      last = Error(ErrorCode::kNoEndpoint, Side::kUpstream);
      is_fresh = false;
    } else {
      last = std::move(response.error());
      if (!asks_again(attempt, last)) break;
      // Others of that endpoint's kept connections are likely to be as stale.
      is_fresh = attempt.on_reused && is_stale(last);
    }
    if (content_ != nullptr) content_->rewind();
    if (last.code == ErrorCode::kOverloaded) --asked;
  }
  if (held_) co_return give_held();
  co_return fail(std::move(last));
}

// In such a form that another attempt can have it again. Where none would be allowed to once it has been sent, nothing is kept: HTTP/1
// servers can't say that they looked at nothing.
void Tries::keep_content() {
  if (request_.body == nullptr || options_.attempts <= 1) return;
  const auto length = request_.body->length();
  const bool fits = length.kind != http::BodyLength::Kind::kFixed || length.bytes <= options_.max_body.bytes;
  const bool may_be_wanted =
      pool_.options().protocol != upstream::Protocol::kHttp1 || is_repeatable(options_, request_.head);
  const std::size_t most = fits && may_be_wanted ? static_cast<std::size_t>(options_.max_body.bytes) : 0;
  auto content = std::make_unique<exchange::ReplayBody>(*request_.body, most);
  request_.body = content_ = content.get();
  request_.bodies_in_between.push_back(std::move(content));
}

// Where its client belongs; else one that nobody waits for who came before.
Result<upstream::Place> Tries::next_place(const Error& last) {
  if (auto place = place_at_home()) return std::move(*place);
  if (pool_.queue().is_promised()) return fail(ErrorCode::kOverloaded, Side::kUpstream);
  return pick_another(last);
}

std::optional<upstream::Place> Tries::place_at_home() {
  if (home_ != nullptr && !home_->state.takes_sticky(now())) home_.reset();
  return home_ != nullptr ? pool_.pick(*home_, request_.client) : std::nullopt;
}

// Than before; where there is no other, again the first. Fails as the last attempt did where nobody is left to ask.
Result<upstream::Place> Tries::pick_another(const Error& last) {
  auto place = pick(tried_);
  if (place || place.error().code != ErrorCode::kNoEndpoint) return place;
  // Who took no connection just now, or no request, takes none now.
  if (attempts_ == 0 || is_connect_failure(last) || last.code == ErrorCode::kLimitReached) return fail(last);
  tried_ = {};
  goes_round_ = true;
  return pick(tried_);
}

Result<upstream::Place> Tries::pick(const balance::TriedSet& tried) {
  return pool_.pick({tried, now(), hash_}, request_.client);
}

net::Task<Result<upstream::Place>> Tries::wait_for_place(const Error& last) {
  const Duration timeout = pool_.queue().options().timeout;
  const Duration left = limit_.left(now());
  const bool is_limited = left.count() != 0 && left < timeout;
  const auto permit = pool_.breaker().try_acquire(Resource::kPending);
  upstream::PlaceQueue::Turn turn(pool_.queue(), *request_.loop, priority_, is_limited ? left : timeout);
  if (!permit || !turn.is_queued()) co_return overloaded("as many requests wait as may");
  while (co_await turn.comes()) {
    auto at_home = place_at_home();
    auto place = at_home ? Result<upstream::Place>(std::move(*at_home)) : pick_another(last);
    if (place) turn.use();
    if (place || place.error().code != ErrorCode::kOverloaded) co_return place;
    turn.decline();
  }
  if (is_limited) co_return fail(limit_.error());
  co_return overloaded(fmt::format("no room within {}", rproxy::to_string(timeout)));
}

net::Task<Result<Response>> Tries::try_next(upstream::Place place, Attempt& attempt) {
  const auto patience = may_hedge() ? pool_.hedges().patience(now()) : std::nullopt;
  return patience ? try_two(std::move(place), attempt, *patience) : try_within(request_, std::move(place), attempt);
}

// Who belongs to an endpoint is not better served by another.
bool Tries::may_hedge() const {
  if (home_ != nullptr) return false;
  return options_.hedge && attempts_ + 1 < options_.attempts && is_repeatable(options_, request_.head) &&
         !request_.head.upgrade;
}

// The first answer wins; the other try goes with its task. A failure wins nothing as long as the other may have an answer.
net::Task<Result<Response>> Tries::try_two(upstream::Place place, Attempt& attempt, Duration patience) {
  const TimePoint begun = now();
  net::Child<Result<Response>> first(try_within(request_, std::move(place), attempt));
  const bool is_in_time = co_await exchange::UntilDoneOrDue(first, *request_.loop, patience);
  auto another = is_in_time ? std::nullopt : find_second(attempt);
  if (!another) {
    co_await first.wait();
    co_return first.take();
  }
  const upstream::Hedges::Count count(pool_.hedges());
  Attempt other(another->pool(), false);
  auto beside = std::make_unique<RequestBeside>(request_, content_);
  net::Child<Result<Response>> second(try_within(beside->request(), std::move(*another), other));
  co_await exchange::UntilEitherDone(first, second);
  if (first.is_done()) {
    auto answer = first.take();
    if (is_good(answer)) co_return answer;
    set_aside(attempt, std::move(answer));
    co_await second.wait();
    attempt = other;
    co_return take_over(second.take(), std::move(beside));
  }
  auto answer = second.take();
  if (is_good(answer)) {
    // How long the first would have taken nobody will know: so long at least, which its endpoint is to be known by.
    pool_.hedges().add(std::chrono::duration_cast<std::chrono::microseconds>(now() - begun), now());
    record(attempt.at->endpoint().state, balance::Outcome::kCancelled, waited_for(attempt));
    attempt = other;
    co_return take_over(std::move(answer), std::move(beside));
  }
  const std::string_view name = request_.trace.endpoint;
  set_aside(other, take_over(std::move(answer), std::move(beside)));
  co_await first.wait();
  request_.trace.endpoint = name;
  co_return first.take();
}

// At another endpoint, where all of the content is there to be sent again, and the budget pays.
std::optional<upstream::Place> Tries::find_second(const Attempt& first) {
  if (request_.body != nullptr && !content_->is_whole()) return std::nullopt;
  balance::TriedSet tried = tried_;
  tried.add(first.at->endpoint().state.id());
  if (!pool_.hedges().has_room() || pool_.queue().is_promised()) return std::nullopt;
  auto place = pick(tried);
  if (!place || !may_spend()) return std::nullopt;
  ++request_.trace.retries;
  return std::move(*place);
}

bool Tries::is_good(const Result<Response>& result) const {
  return result && !allows_retry(options_, request_.head, result->head.status);
}

void Tries::set_aside(const Attempt& attempt, Result<Response> result) {
  ++attempts_;
  if (result) {
    leave(attempt);
    hold(attempt, std::move(*result));
  } else if (!is_surprise(attempt, result.error())) {
    note(attempt, result.error());
  }
}

Result<Response> Tries::take_over(Result<Response> result, std::unique_ptr<RequestBeside> beside) {
  const exchange::Trace& trace = beside->request().trace;
  request_.trace.endpoint = trace.endpoint;
  request_.trace.connect = trace.connect;
  request_.trace.upstream_first_byte = trace.upstream_first_byte;
  if (result && result->body != nullptr) result->body = with_request(std::move(beside), std::move(result->body));
  return result;
}

net::Task<Result<Response>> Tries::try_within(Request& request, upstream::Place place, Attempt& attempt) {
  if (options_.per_try_timeout.count() == 0) return try_once(request, std::move(place), attempt);
  const auto within = [](Tries& self, Request& asked, upstream::Place at,
                         Attempt& made) -> net::Task<Result<Response>> {
    net::Child<Result<Response>> trying(self.try_once(asked, std::move(at), made));
    const bool is_in_time =
        co_await exchange::UntilDoneOrLate(trying, asked.loop->wheel(), self.options_.per_try_timeout);
    if (is_in_time) co_return trying.take();
    if (!made.is_connected) co_return fail(ErrorCode::kConnectTimeout, Side::kUpstream, Retry::kSafe);
    co_return fail(ErrorCode::kReadTimeout, Side::kUpstream, Retry::kIdempotent);
  };
  return within(*this, request, std::move(place), attempt);
}

net::Task<Result<Response>> Tries::try_once(Request& request, upstream::Place place, Attempt& attempt) {
  upstream::Endpoint& endpoint = attempt.at->endpoint();
  metrics::EndpointSeries& series = attempt.at->series();
  series.requests.add();
  if (request.trace.retries > 0) series.retries.add();
  request.trace.endpoint = request.arena->copy(endpoint.state.name());
  // With content, the client may be what it waits for.
  std::optional<balance::Waiting> waiting;
  if (request.body == nullptr) waiting.emplace(attempt.at->endpoint().state, now());
  std::optional<upstream::Lease> lease;
  if (!attempt.is_fresh) {
    if (auto idle = attempt.at->acquire_idle(place, request.client)) lease.emplace(std::move(*idle));
  }
  if (!lease) {
    const TimePoint before = now();
    auto connected = co_await connect(request, std::move(place), attempt);
    if (!connected) co_return fail(std::move(connected.error()));
    request.trace.connect = std::chrono::duration_cast<std::chrono::microseconds>(now() - before);
    series.connect.observe(request.trace.connect);
    lease.emplace(std::move(*connected));
  }
  attempt.is_connected = true;
  attempt.connected = now();
  attempt.on_reused = lease->is_reused();
  // HTTP/1.1 needs a Host (RFC 9112 3.2), which an HTTP/1.0 client may have left out.
  if (request.head.authority.empty()) request.head.authority = request.trace.endpoint;
  limit_.tell(request, now());
  auto response = co_await upstream::send(request, std::move(*lease), pool_.options(), limit_.total());
  if (!response && response.error().code == ErrorCode::kRequestTimeout) co_return fail(limit_.error());
  if (response) {
    series.responses.count(response->head.status);
    attempt.at->forget_surprises();
    series.first_byte.observe(request.trace.upstream_first_byte);
    record(endpoint.state, balance::outcome_of_status(response->head.status), request.trace.upstream_first_byte);
    pool_.hedges().add(request.trace.upstream_first_byte, now());
  }
  co_return response;
}

// What others wait for, too, goes on without this one.
net::Task<Result<upstream::Lease>> Tries::connect(const Request& request, upstream::Place place, Attempt& attempt) {
  const auto permit = pool_.breaker().try_acquire(Resource::kPending);
  if (!permit) {
    co_return fail(ErrorCode::kOverloaded, Side::kUpstream, Retry::kNever,
                   "as many requests wait for a connection as may");
  }
  net::Child<Result<upstream::Lease>> connecting(attempt.at->connect(std::move(place), request.client));
  const bool is_in_time = co_await exchange::UntilDoneOrLate(connecting, request.loop->wheel(), limit_.left(now()));
  if (!is_in_time) co_return fail(limit_.error());
  auto connected = connecting.take();
  if (!connected) attempt.is_told = !attempt.at->take_failure();
  co_return connected;
}

// One request counts against an endpoint once, however often it was asked.
void Tries::note(const Attempt& attempt, const Error& error) {
  leave(attempt);
  if (const auto kind = failure_kind(error)) attempt.at->series().fail(*kind);
  if (attempt.is_told || goes_round_) return;
  const balance::Outcome outcome = outcome_of(error);
  const bool is_slow = outcome == balance::Outcome::kTimeout;
  record(attempt.at->endpoint().state, outcome, is_slow ? waited_for(attempt) : std::chrono::nanoseconds{0});
}

std::chrono::nanoseconds Tries::waited_for(const Attempt& attempt) const {
  return attempt.is_connected ? now() - attempt.connected : std::chrono::nanoseconds{0};
}

bool Tries::asks_again(const Attempt& attempt, const Error& error) {
  // Of our own making, before anybody was asked.
  if (error.code == ErrorCode::kOverloaded) return error.retry == Retry::kSafe;
  // A surprise is nobody's failure, and takes no attempt. What the budget has of it, it pays all the same: the endpoint may have read it.
  const bool surprise = is_surprise(attempt, error);
  if (surprise) {
    attempt.at->note_surprise();
    (void)pool_.budget().take(now());
  } else {
    note(attempt, error);
  }
  const bool is_free = has_cost_nothing(error) || surprise;
  if (!is_free) ++attempts_;
  if (options_.attempts <= 1 || attempts_ >= options_.attempts) return false;
  // Before the budget pays for it.
  if (request_.body != nullptr && !content_->can_rewind()) return false;
  const bool is_allowed = surprise ? error.retry == Retry::kSafe || is_repeatable(options_, request_.head)
                                   : allows_retry(options_, request_.head, error);
  return is_allowed && (is_free || may_spend());
}

// A kept connection that its endpoint ended as it was used. On a new one, or where nothing else comes of it, it is a failure.
bool Tries::is_surprise(const Attempt& attempt, const Error& error) {
  return attempt.on_reused && !attempt.is_fresh && is_stale(error) && attempt.at->surprises() < kSurprisesMax;
}

// One retry, of what the breaker and the budget have of them.
bool Tries::may_spend() {
  if (!retrying_) retrying_ = pool_.breaker().try_acquire(Resource::kRetries);
  return retrying_ && pool_.budget().take(now());
}

bool Tries::asks_again(const Attempt& attempt, const Response& response) {
  ++attempts_;
  if (attempts_ >= options_.attempts || !allows_retry(options_, request_.head, response.head.status)) return false;
  // The answer is kept with its connection, where content that still comes could not be had a second time.
  if (response.tunnel != nullptr || (request_.body != nullptr && !content_->is_whole())) return false;
  leave(attempt);
  return may_spend();
}

void Tries::leave(const Attempt& attempt) {
  tried_.add(attempt.at->endpoint().state.id());
  if (&attempt.at->endpoint() == home_.get()) home_.reset();
}

void Tries::hold(const Attempt& attempt, Response response) {
  if (held_) drop(std::move(held_->response));
  held_.emplace(
      Held{std::move(response), &attempt.at->endpoint(), request_.trace.endpoint, request_.trace.upstream_first_byte});
}

Result<Response> Tries::give(const Attempt& attempt, Response response) {
  if (held_) drop(std::move(held_->response));
  held_.reset();
  if (content_ != nullptr) content_->settle();
  answered_by_ = &attempt.at->endpoint();
  return response;
}

Result<Response> Tries::give_held() {
  request_.trace.endpoint = held_->name;
  request_.trace.upstream_first_byte = held_->first_byte;
  answered_by_ = held_->endpoint;
  Response response = std::move(held_->response);
  held_.reset();
  return response;
}

void Tries::record(balance::EndpointState& state, balance::Outcome outcome, std::chrono::nanoseconds latency) const {
  switch (state.record(outcome, latency, now())) {
    case balance::Change::kNone:
      return;
    case balance::Change::kEjected:
      return upstream::log_ejection(pool_.upstream().name(), state, balance::to_string(state.ejection_cause()), now());
    case balance::Change::kRecovered:
      return log::info("upstream {}: {} answers again", pool_.upstream().name(), state.name());
  }
}

}  // namespace rproxy::proxy
