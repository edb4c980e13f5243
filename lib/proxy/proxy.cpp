#include "proxy/proxy.h"

#include <fmt/format.h>

#include <utility>

#include "base/log.h"
#include "exchange/error_page.h"
#include "exchange/grpc_answer.h"
#include "http/hop_by_hop.h"
#include "proxy/grpc_status.h"
#include "proxy/hash_key.h"
#include "proxy/request_head.h"
#include "proxy/retry_rules.h"
#include "proxy/tries.h"
#include "proxy/watched_content.h"

namespace rproxy::proxy {

using exchange::Request;
using exchange::Response;

namespace {

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

// When another try may do better; nothing where that can't be told.
std::optional<std::chrono::seconds> retry_after(upstream::Pool& pool, const Error& error, TimePoint now) {
  Duration wait{0};
  if (error.code == ErrorCode::kOverloaded) {
    wait = pool.queue().options().timeout;
  } else if (error.code == ErrorCode::kBreakerOpen) {
    wait = std::chrono::ceil<Duration>(pool.breaker().opens_until() - now);
  } else {
    return std::nullopt;
  }
  return std::max(std::chrono::ceil<std::chrono::seconds>(wait), std::chrono::seconds(1));
}

// What the client may see of any answer.
void clean(http::ResponseHead& head, const Request& request, const BackendHider* hider) {
  const bool names_protocols = head.status == 101 || head.status == 426;
  http::remove_hop_by_hop(head.fields, names_protocols);
  if (hider != nullptr) hider->apply(head, request);
}

// Interim answers tell no more than final ones.
class InterimFilter final : public exchange::InterimSink {
 public:
  InterimFilter(Request& request, const BackendHider* hider)
      : request_(request), hider_(hider), next_(request.interim) {
    if (next_ != nullptr) request.interim = this;
  }
  InterimFilter(const InterimFilter&) = delete;
  InterimFilter& operator=(const InterimFilter&) = delete;
  ~InterimFilter() { request_.interim = next_; }

  net::Task<Result<void>> interim(http::ResponseHead& head) override {
    clean(head, request_, hider_);
    return next_->interim(head);
  }

 private:
  Request& request_;
  const BackendHider* hider_;
  exchange::InterimSink* next_;
};

}  // namespace

Proxy::Proxy(const Plan& plan, const ForwardingOptions& forwarding, const std::vector<upstream::Pool*>& targets,
             upstream::Pool* shadow, std::uint64_t seed)
    : plan_(plan), forwarding_(forwarding) {
  for (std::size_t i = 0; i < targets.size(); ++i) {
    targets_.push_back({targets[i], nullptr, i < plan.hiders.size() ? &plan.hiders[i] : nullptr});
    if (targets[i]->options().sticky) targets_[i].sticky = std::make_unique<StickyCookies>(*targets[i]);
  }
  if (plan.action.split) split_.emplace(*plan.action.split, seed);
  if (plan.action.mirror) mirror_.emplace(*plan.action.mirror, *shadow, seed + 1);
}

net::Task<Result<Response>> Proxy::handle(Request& request) {
  const auto may_go_on = count_hop(request);
  if (!may_go_on) co_return fail(may_go_on.error());
  if (!*may_go_on) co_return answer_as_last(request);
  const auto limit = TimeLimit::of(request, plan_.action.request_timeout);
  if (!limit) {
    const Error error(ErrorCode::kBadRequest, Side::kClient);
    co_return answer_failure(request, error, http::GrpcStatus::kInternal, "malformed grpc-timeout");
  }
  const auto chosen = split_ ? split_->choose(request) : Split::Chosen();
  Target& target = targets_[chosen.part];
  request.trace.upstream = target.pool->upstream().name();
  // As the client asked.
  const balance::PolicyOptions& policy = target.pool->options().policy;
  const std::uint64_t hash = policy.kind == balance::PolicyKind::kHash ? hash_of(policy.key, request) : 0;
  if (auto ready = prepare(request); !ready) {
    complain(request, ready.error());
    co_return fail(std::move(ready.error()));
  }
  auto response = co_await ask(request, target, *limit, hash);
  if (response) {
    if (split_ && !request.is_for_many) split_->give(request, *response, chosen);
    co_return response;
  }
  const Error& error = response.error();
  if (error.side == Side::kClient && error.code == ErrorCode::kRequestTimeout) {
    co_return answer_failure(request, error, http::GrpcStatus::kDeadlineExceeded, "deadline exceeded");
  }
  if (error.side != Side::kClient) complain(request, error);
  const auto wait = retry_after(*target.pool, error, request.loop->now());
  if (error.side == Side::kClient || (!plan_.action.proxy_status && !wait)) co_return response;
  request.trace.failed = true;
  request.trace.termination = exchange::termination_of(error);
  Response page = exchange::error_response(request, exchange::status_of(error));
  if (wait) {
    page.head.fields.add(http::FieldId::kRetryAfter, request.arena->copy(fmt::format_int(wait->count()).c_str()));
  }
  if (plan_.action.proxy_status) {
    page.head.fields.add(http::FieldId::kProxyStatus,
                         request.arena->concat({forwarding_.via_name, "; error=", exchange::proxy_error_of(error)}));
  }
  co_return page;
}

net::Task<Result<Response>> Proxy::ask(Request& request, Target& target, const TimeLimit& limit, std::uint64_t hash) {
  const auto home = target.sticky ? target.sticky->take(request) : nullptr;
  if (mirror_) mirror_->watch(request);
  const InterimFilter filter(request, target.hider);
  auto admission = target.pool->breaker().admit(request.loop->now());
  if (!admission) co_return fail(ErrorCode::kBreakerOpen, Side::kUpstream);
  Tries tries(request, *target.pool, limit, home, hash, plan_.action.queue_priority);
  auto response = co_await tries.run();
  tell_breaker(*admission, response, request.loop->now());
  if (!response) co_return response;
  watch_content(request, *response, target.pool->upstream().name(), tries.answered_by());
  finish(request, *response, target, limit);
  if (target.sticky && !tries.is_at_home() && !request.is_for_many)
    target.sticky->give(request, *response, tries.answered_by());
  co_return response;
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
  prepare_request_head(request, forwarding_);
  if (plan_.rewrite) {
    auto path = plan_.rewrite->apply(request.head.path, *request.arena);
    if (!path) return fail(std::move(path.error()));
    request.head.path = *path;
  }
  if (!plan_.action.host.empty()) request.head.authority = plan_.action.host;
  return {};
}

void Proxy::finish(Request& request, Response& response, const Target& target, const TimeLimit& limit) const {
  request.trace.upstream_status = response.head.status;
  clean(response.head, request, target.hider);
  note_grpc_status(request.trace, response, limit);
  if (plan_.action.proxy_status) {
    response.head.fields.add(
        http::FieldId::kProxyStatus,
        request.arena->concat({forwarding_.via_name, "; received-status=",
                               request.arena->copy(fmt::format_int(response.head.status).c_str())}));
  }
}

}  // namespace rproxy::proxy
