#include "proxy/proxy.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "exchange/error_page.h"
#include "exchange/grpc_answer.h"
#include "exchange/replay_body.h"
#include "exchange/until_done.h"
#include "http/hop_by_hop.h"
#include "proxy/failure_kind.h"
#include "proxy/grpc_status.h"
#include "proxy/request_head.h"
#include "upstream/client.h"

namespace rproxy::proxy {

using exchange::Request;
using exchange::Response;

namespace {

balance::Outcome outcome_of(const Error& error) {
  if (error.side != Side::kUpstream) return balance::Outcome::kCancelled;
  switch (error.code) {
    case ErrorCode::kConnectRefused:
    case ErrorCode::kConnectFailed:
    case ErrorCode::kUnreachable:
    case ErrorCode::kTlsHandshake:
    case ErrorCode::kTlsVerify:
      return balance::Outcome::kConnectFailed;
    // It refused a stream among others that it serves: busy, not broken.
    case ErrorCode::kLimitReached:
      return balance::Outcome::kCancelled;
    case ErrorCode::kConnectTimeout:
    case ErrorCode::kHandshakeTimeout:
    case ErrorCode::kReadTimeout:
    case ErrorCode::kWriteTimeout:
    case ErrorCode::kRequestTimeout:
      return balance::Outcome::kTimeout;
    default:
      return balance::Outcome::kReset;
  }
}

// A kept connection that the endpoint closed just as it was used says nothing about the endpoint.
bool is_stale(const Error& error) {
  return error.side == Side::kUpstream && (error.code == ErrorCode::kReset || error.code == ErrorCode::kClosed) &&
         error.retry != Retry::kNever;
}

// A connection refused at once has burdened nobody and taken no time: every endpoint may be asked, so that one that lives is found.
bool has_cost_nothing(const Error& error) {
  return error.retry == Retry::kSafe && error.code != ErrorCode::kConnectTimeout &&
         error.code != ErrorCode::kHandshakeTimeout;
}

// Where Max-Forwards ends: OPTIONS is about us then, and TRACE would show the request's secrets (RFC 9110 9.3.8).
Response answer_as_last(Request& request) {
  if (request.head.method_id == http::Method::kTrace) return exchange::error_response(request, 501);
  return {};
}

// A failure of ours and of the gRPC client's that says more by a status of its own than by an HTTP status.
Response answer_failure(Request& request, const Error& error, http::GrpcStatus status, std::string_view message) {
  request.trace.failed = true;
  request.trace.termination = exchange::termination_of(error);
  return exchange::grpc_answer(request, status, message);
}

constexpr Duration kComplainEvery{1'000};

// What the client may see of any answer.
void clean(http::ResponseHead& head, const Request& request, const Proxy::Plan& plan) {
  const bool names_protocols = head.status == 101 || head.status == 426;
  http::remove_hop_by_hop(head.fields, names_protocols);
  if (plan.hider) plan.hider->apply(head, request);
}

// Interim answers tell no more than final ones.
class InterimFilter final : public exchange::InterimSink {
 public:
  InterimFilter(Request& request, const Proxy::Plan& plan) : request_(request), plan_(plan), next_(request.interim) {
    if (next_ != nullptr) request.interim = this;
  }
  InterimFilter(const InterimFilter&) = delete;
  InterimFilter& operator=(const InterimFilter&) = delete;
  ~InterimFilter() { request_.interim = next_; }

  net::Task<Result<void>> interim(http::ResponseHead& head) override {
    clean(head, request_, plan_);
    return next_->interim(head);
  }

 private:
  Request& request_;
  const Proxy::Plan& plan_;
  exchange::InterimSink* next_;
};

// What of a request's content is kept for another attempt: gRPC's messages are mostly smaller.
constexpr std::size_t kReplayMax = 65536;
// An end to the search even where each endpoint fails at once.
constexpr std::size_t kTriesMax = 64;

}  // namespace

net::Task<Result<Response>> Proxy::handle(Request& request) {
  const auto may_go_on = count_hop(request);
  if (!may_go_on) co_return fail(may_go_on.error());
  if (!*may_go_on) co_return answer_as_last(request);
  const auto limit = TimeLimit::of(request, plan_.action.request_timeout);
  if (!limit) {
    const Error error(ErrorCode::kBadRequest, Side::kClient);
    co_return answer_failure(request, error, http::GrpcStatus::kInternal, "malformed grpc-timeout");
  }
  if (auto ready = prepare(request); !ready) {
    complain(request, ready.error());
    co_return fail(std::move(ready.error()));
  }
  const InterimFilter filter(request, plan_);
  auto response = co_await try_endpoints(request, *limit);
  if (response) {
    finish(request, *response, *limit);
    co_return response;
  }
  const Error& error = response.error();
  if (error.side == Side::kClient && error.code == ErrorCode::kRequestTimeout) {
    co_return answer_failure(request, error, http::GrpcStatus::kDeadlineExceeded, "deadline exceeded");
  }
  if (error.side != Side::kClient) complain(request, error);
  if (error.side == Side::kClient || !plan_.action.proxy_status) co_return response;
  request.trace.failed = true;
  request.trace.termination = exchange::termination_of(error);
  Response page = exchange::error_response(request, exchange::status_of(error));
  page.head.fields.add(http::FieldId::kProxyStatus,
                       request.arena->concat({forwarding_.via_name, "; error=", exchange::proxy_error_of(error)}));
  co_return page;
}

// A failing upstream fails each request: the log tells of the first, and then how many more there were.
void Proxy::complain(const Request& request, const Error& error) {
  if (const TimePoint now = request.loop->now(); now - complained_ >= kComplainEvery) {
    complained_ = now;
    log::warn("upstream {} {}: {}: {} (request {}, {} more not told)", request.trace.upstream, request.trace.endpoint,
              exchange::termination_of(error), describe(error), request.trace.request_id, std::exchange(untold_, 0));
  } else {
    ++untold_;
  }
}

Result<void> Proxy::prepare(Request& request) const {
  request.trace.upstream = pool_.upstream().name();
  prepare_request_head(request, forwarding_);
  if (plan_.rewrite) {
    auto path = plan_.rewrite->apply(request.head.path, *request.arena);
    if (!path) return fail(std::move(path.error()));
    request.head.path = *path;
  }
  if (!plan_.action.host.empty()) request.head.authority = plan_.action.host;
  return {};
}

// An HTTP/2 server may refuse a request whose content is on its way already.
exchange::ReplayBody* Proxy::make_repeatable(Request& request) const {
  const bool may_refuse = pool_.options().protocol != upstream::Protocol::kHttp1 && pool_.options().retry.attempts > 1;
  if (request.body == nullptr || !may_refuse) return nullptr;
  auto replay = std::make_unique<exchange::ReplayBody>(*request.body, kReplayMax);
  exchange::ReplayBody* const made = replay.get();
  request.body_in_between = std::move(replay);
  request.body = made;
  return made;
}

net::Task<Result<Response>> Proxy::try_endpoints(Request& request, const TimeLimit& limit) {
  pool_.budget().count_request(request.trace.start);
  exchange::ReplayBody* const replay = make_repeatable(request);
  balance::TriedSet tried;
  Error last{ErrorCode::kNoEndpoint, Side::kUpstream, Retry::kNever, 0, {}};
  bool fresh = false;
  std::size_t attempts = 0;
  for (std::size_t tries = 0; tries < kTriesMax; ++tries) {
    if (limit.has_passed(request.loop->now())) co_return fail(limit.error());
    auto place = pool_.pick({tried, request.trace.start});
    if (!place) break;
    Attempt attempt(place->pool());
    auto response = co_await try_once(request, std::move(*place), attempt, fresh, limit);
    if (response && replay != nullptr) replay->settle();
    if (response) co_return response;
    last = std::move(response.error());
    const bool stale = attempt.on_reused && is_stale(last);
    if (!stale) {
      if (const auto kind = failure_kind(last)) attempt.at.series().fail(*kind);
      tried.add(attempt.at.endpoint().state.id());
      if (!attempt.is_told) record(attempt.at.endpoint().state, outcome_of(last), {}, request.loop->now());
    }
    // One surprise of a kept connection is nobody's failure: it takes no attempt and nothing of the budget.
    const bool is_free = has_cost_nothing(last) || (stale && !fresh);
    if (!is_free) ++attempts;
    // Before the budget pays for it.
    if (replay != nullptr && !replay->can_rewind()) break;
    if (!may_retry(request, last, attempts, is_free)) break;
    if (replay != nullptr) replay->rewind();
    ++request.trace.retries;
    // Others of that endpoint's kept connections are likely to be as stale.
    fresh = stale;
  }
  co_return fail(std::move(last));
}

net::Task<Result<Response>> Proxy::try_once(Request& request, upstream::Place place, Attempt& attempt, bool fresh,
                                            const TimeLimit& limit) {
  upstream::Endpoint& endpoint = attempt.at.endpoint();
  metrics::EndpointSeries& series = attempt.at.series();
  series.requests.add();
  if (request.trace.retries > 0) series.retries.add();
  request.trace.endpoint = request.arena->copy(endpoint.state.name());
  std::optional<upstream::Lease> lease;
  if (!fresh) {
    if (auto idle = attempt.at.acquire_idle(place, request.client)) lease.emplace(std::move(*idle));
  }
  if (!lease) {
    const TimePoint before = request.loop->now();
    auto connected = co_await connect(request, std::move(place), attempt, limit);
    if (!connected) co_return fail(std::move(connected.error()));
    request.trace.connect = std::chrono::duration_cast<std::chrono::microseconds>(request.loop->now() - before);
    series.connect.observe(request.trace.connect);
    lease.emplace(std::move(*connected));
  }
  attempt.on_reused = lease->is_reused();
  // HTTP/1.1 needs a Host (RFC 9112 3.2), which an HTTP/1.0 client may have left out.
  if (request.head.authority.empty()) request.head.authority = request.trace.endpoint;
  limit.tell(request, request.loop->now());
  auto response = co_await upstream::send(request, std::move(*lease), pool_.options(), limit.total());
  if (!response && response.error().code == ErrorCode::kRequestTimeout) co_return fail(limit.error());
  if (response) {
    series.responses.count(response->head.status);
    series.first_byte.observe(request.trace.upstream_first_byte);
    record(endpoint.state, balance::outcome_of_status(response->head.status), request.trace.upstream_first_byte,
           request.loop->now());
  }
  co_return response;
}

// What others wait for, too, goes on without this one.
net::Task<Result<upstream::Lease>> Proxy::connect(const Request& request, upstream::Place place, Attempt& attempt,
                                                  const TimeLimit& limit) {
  net::Child<Result<upstream::Lease>> connecting(attempt.at.connect(std::move(place), request.client));
  const Duration left = limit.left(request.loop->now());
  const bool is_in_time = co_await exchange::UntilDoneOrLate(connecting, request.loop->wheel(), left);
  if (!is_in_time) co_return fail(limit.error());
  auto connected = connecting.take();
  if (!connected) attempt.is_told = !attempt.at.take_failure();
  co_return connected;
}

void Proxy::record(balance::EndpointState& state, balance::Outcome outcome, std::chrono::nanoseconds latency,
                   TimePoint now) const {
  switch (state.record(outcome, latency, now)) {
    case balance::Change::kNone:
      return;
    case balance::Change::kEjected:
      return log::warn("upstream {}: {} is left alone for {}: {}", pool_.upstream().name(), state.name(),
                       to_string(std::chrono::round<Duration>(state.ejected_until() - now)),
                       balance::to_string(state.ejection_cause()));
    case balance::Change::kRecovered:
      return log::info("upstream {}: {} answers again", pool_.upstream().name(), state.name());
  }
}

bool Proxy::may_retry(const Request& request, const Error& error, std::size_t attempts, bool is_free) {
  const std::size_t allowed = pool_.options().retry.attempts;
  if (error.side == Side::kClient || error.retry == Retry::kNever || allowed <= 1 || attempts >= allowed) return false;
  if (error.retry == Retry::kIdempotent && !http::is_idempotent(request.head.method_id)) return false;
  return is_free || pool_.budget().take(request.loop->now());
}

void Proxy::finish(Request& request, Response& response, const TimeLimit& limit) const {
  request.trace.upstream_status = response.head.status;
  clean(response.head, request, plan_);
  note_grpc_status(request.trace, response, limit);
  if (plan_.action.proxy_status) {
    response.head.fields.add(
        http::FieldId::kProxyStatus,
        request.arena->concat({forwarding_.via_name, "; received-status=",
                               request.arena->copy(fmt::format_int(response.head.status).c_str())}));
  }
}

}  // namespace rproxy::proxy
