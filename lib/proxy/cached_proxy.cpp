#include "proxy/cached_proxy.h"

#include <algorithm>
#include <utility>

#include "cache/fit.h"
#include "exchange/error_page.h"
#include "http/conditional.h"
#include "http/head_lines.h"
#include "proxy/attendance.h"
#include "proxy/disk_lookup.h"

namespace rproxy::proxy {

using cache::EntryPtr;
using exchange::Request;
using exchange::Response;
using http::FieldId;
using Kind = CacheOutcome::Kind;
using Outcome = storage::Flight::Outcome;

namespace {

// Other answers than the one waited for may come in between; beyond that a request goes by itself.
constexpr int kRoundsMax = 8;

// Keeps what a response views as long as the request.
class Keeper final : public exchange::Body {
 public:
  explicit Keeper(std::shared_ptr<CacheFetch> fetch) : fetch_(std::move(fetch)) {}
  net::ValueTask<Result<exchange::Slice>> read() override { return Result<exchange::Slice>(exchange::Slice{{}, true}); }
  http::BodyLength length() const override { return {}; }

 private:
  std::shared_ptr<CacheFetch> fetch_;
};

// A request that leaves lets the fetch it has started know.
class Starter {
 public:
  explicit Starter(std::shared_ptr<CacheFetch> fetch) : fetch_(std::move(fetch)) {}
  Starter(const Starter&) = delete;
  Starter& operator=(const Starter&) = delete;
  ~Starter() {
    if (fetch_ != nullptr) fetch_->leave();
  }
  CacheFetch* get() const { return fetch_.get(); }
  std::shared_ptr<CacheFetch> share() const { return fetch_; }

 private:
  std::shared_ptr<CacheFetch> fetch_;
};

void take_trace(Request& request, const exchange::Trace& of) {
  exchange::Trace& trace = request.trace;
  trace.connect = of.connect;
  trace.upstream_first_byte = of.upstream_first_byte;
  // The fetch, and its arena, may be gone before the request.
  trace.upstream = request.arena->copy(of.upstream);
  trace.endpoint = request.arena->copy(of.endpoint);
  trace.retries = of.retries;
  trace.upstream_status = of.upstream_status;
  trace.failed = of.failed;
  trace.termination = of.termination;
}

// What HEAD says of what is stored from GET (RFC 9111 4.3.5).
bool agrees(const http::Fields& head, const cache::Entry& entry) {
  const auto differs = [&](FieldId id) { return head.has(id) && head.get(id) != entry.fields().get(id); };
  const auto length = http::declared_length(head);
  const auto ours = entry.content()->length();
  return !differs(FieldId::kEtag) && !differs(FieldId::kLastModified) && !(length && ours && *length != *ours);
}

}  // namespace

CachedProxy::CachedProxy(storage::Cache& cache, const CacheOptions& options, std::string scope, std::string_view name,
                         downstream::Users& users, std::unique_ptr<exchange::Handler> next)
    : cache_(cache),
      options_(options),
      scope_(std::move(scope)),
      name_(name),
      users_(users),
      conditions_(options),
      next_(std::move(next)) {
  cache_.add_scope(scope_);
}

CachedProxy::~CachedProxy() { fetches_.cancel_all(); }

CachedProxy::Visit CachedProxy::visit(const Request& request) const {
  Visit visit;
  visit.key = cache_.shared_key(cache_key(request, scope_, options_), *request.arena);
  if (options_.policy.client_control) visit.asked = cache::RequestDirectives::of(request.head.fields);
  visit.range = cache::wanted_range(request.head);
  return visit;
}

net::Task<Result<Response>> CachedProxy::handle(Request& request) {
  if (const auto why = conditions_.reason_to_pass(request); !why.empty()) return pass(request, why);
  Visit visit = this->visit(request);
  EntryPtr entry = cache_.memory().find(visit.wanted(request));
  if (entry == nullptr && cache_.may_be_on_disk(visit.key.digest)) return look_further(request, visit);
  return go_on(request, visit, std::move(entry));
}

net::Task<Result<Response>> CachedProxy::look_further(Request& request, Visit visit) {
  EntryPtr entry = co_await look_on_disk(cache_, request, visit.wanted(request));
  co_return co_await go_on(request, visit, std::move(entry));
}

// With what is stored of it.
net::Task<Result<Response>> CachedProxy::go_on(Request& request, const Visit& visit, EntryPtr entry) {
  if (entry != nullptr) {
    const auto reuse = cache::reuse_of(*entry, visit.asked, wall_ms(*request.loop));
    if (reuse.use == cache::Use::kServeWhileValidating) validate_meanwhile(request, visit, entry);
    if (reuse.use != cache::Use::kValidate) {
      const bool is_fresh = reuse.reason == cache::Reuse::Reason::kFresh;
      return serve(request, std::move(entry), CacheOutcome(is_fresh ? Kind::kHit : Kind::kStale));
    }
  }
  if (visit.asked.only_if_cached) return refuse(request);
  if (request.head.method_id == http::Method::kHead) return refresh_by_head(request, visit);
  return obtain(request, visit, std::move(entry));
}

net::Task<Result<Response>> CachedProxy::serve(Request& request, EntryPtr entry, CacheOutcome outcome) {
  co_return answer(request, entry, outcome);
}

// RFC 9111 5.2.1.7.
net::Task<Result<Response>> CachedProxy::refuse(Request& request) {
  request.trace.cache = to_string(Kind::kMiss);
  co_return exchange::error_response(request, 504);
}

net::Task<Result<Response>> CachedProxy::pass(Request& request, std::string_view why) {
  request.trace.cache = to_string(Kind::kPass);
  auto response = co_await next_->handle(request);
  if (!response) co_return response;
  if (!http::is_safe(request.head.method_id)) invalidate(request, *response);
  CacheOutcome outcome(Kind::kPass);
  outcome.forwarded = why;
  tell(request, *response, outcome, 0);
  co_return response;
}

Response CachedProxy::answer(Request& request, const EntryPtr& entry, const CacheOutcome& outcome) {
  const std::int64_t now = wall_ms(*request.loop);
  request.trace.cache = to_string(outcome.kind);
  Response response = answer_from(request, entry, outcome, now, cache_);
  tell(request, response, outcome, entry->fresh_for(now));
  return response;
}

void CachedProxy::tell(Request& request, Response& response, const CacheOutcome& outcome,
                       std::int64_t fresh_for) const {
  if (options_.cache_status) tell_status(request, response.head, outcome, fresh_for, name_);
}

std::shared_ptr<CacheFetch> CachedProxy::start(const Request& request, const Visit& visit, storage::FlightPtr flight,
                                               const EntryPtr& seen) {
  auto fetch = std::make_shared<CacheFetch>(
      request, CacheFetch::Order{cache_, options_.policy, std::move(flight), seen, visit.key.text, visit.key.extras,
                                 visit.asked, conditions_.may_store(request)});
  fetches_.spawn(CacheFetch::run(fetch, *next_, downstream::Use(users_)));
  return fetch;
}

void CachedProxy::validate_meanwhile(const Request& request, const Visit& visit, const EntryPtr& entry) {
  auto joined = cache_.memory().join(visit.wanted(request), entry);
  if (joined.leads) start(request, visit, std::move(joined.flight), entry)->leave();
}

net::Task<Result<Response>> CachedProxy::obtain(Request& request, Visit visit, EntryPtr seen) {
  storage::MemoryStore& memory = cache_.memory();
  const std::string_view why = seen != nullptr ? "stale" : "uri-miss";
  const bool is_first_of_few =
      seen == nullptr && options_.policy.min_uses > 1 && memory.count_use(visit.key.digest) < options_.policy.min_uses;
  if (is_first_of_few || memory.is_private(visit.key.digest, wall_ms(*request.loop)) ||
      needs_own_answer(request, visit)) {
    co_return co_await pass(request, why);
  }
  bool has_failed_once = false;
  for (int round = 0; round < kRoundsMax; ++round) {
    auto joined = memory.join(visit.wanted(request), seen);
    if (joined.other != nullptr) {
      seen = joined.other;
      const auto reuse = cache::reuse_of(*seen, visit.asked, wall_ms(*request.loop));
      if (reuse.use == cache::Use::kServe) co_return answer(request, seen, CacheOutcome(Kind::kHit));
      continue;
    }
    const Starter starter(joined.leads ? start(request, visit, joined.flight, seen) : nullptr);
    storage::Flight& flight = *joined.flight;
    Attendance attendance(*request.loop, flight, starter.get());
    co_await attendance.wait(request);
    switch (flight.outcome()) {
      case Outcome::kEntry: {
        const EntryPtr entry = flight.entry();
        // It may have said which queries want the same.
        visit.key = cache_.shared_key(visit.key, *request.arena);
        if (!memory.fits(*entry, visit.wanted(request))) break;  // it varies by something else
        co_return give(request, entry, seen, starter.get(), why);
      }
      case Outcome::kAlone:
        if (starter.get() == nullptr) co_return co_await pass(request, why);
        co_return take_own(request, starter.share(), why);
      case Outcome::kFailed:
        if (starter.get() != nullptr) co_return take_own(request, starter.share(), why);
        // The next of those who waited tries once more, for all of them.
        if (std::exchange(has_failed_once, true)) co_return fail(flight.error());
        break;
      case Outcome::kAbandoned:
      case Outcome::kPending:
        break;
    }
    seen = memory.find(visit.wanted(request));
  }
  co_return co_await pass(request, why);
}

// What a flight has brought, to one of those who waited for it.
Response CachedProxy::give(Request& request, const EntryPtr& entry, const EntryPtr& seen, const CacheFetch* own,
                           std::string_view why) {
  CacheOutcome outcome(Kind::kMiss);
  if (entry == seen) {
    outcome.kind = Kind::kFailedOver;
  } else if (seen != nullptr && entry->content() == seen->content()) {
    outcome.kind = Kind::kValidated;
  }
  outcome.forwarded = why;
  outcome.is_collapsed = own == nullptr;
  outcome.is_stored = entry != seen;
  outcome.keeps_unvalidated = own != nullptr;
  if (own != nullptr) {
    outcome.forward_status = own->status();
    take_trace(request, own->trace());
    request.trace.failed = false;
  }
  return answer(request, entry, outcome);
}

Result<Response> CachedProxy::take_own(Request& request, std::shared_ptr<CacheFetch> fetch, std::string_view why) {
  request.trace.cache = to_string(Kind::kMiss);
  take_trace(request, fetch->trace());
  auto response = std::move(fetch->own_answer());
  request.bodies_in_between.push_back(std::make_unique<Keeper>(std::move(fetch)));
  if (!response) return response;
  // Asked without the client's conditions.
  CacheOutcome outcome(Kind::kMiss);
  outcome.forwarded = why;
  tell(request, *response, outcome, 0);
  return response;
}

// A client that has a validator or several ranges of its own is best answered by who has the whole.
bool CachedProxy::needs_own_answer(const Request& request, const Visit& visit) {
  return request.head.fields.has(FieldId::kRange) && !visit.range;
}

net::Task<Result<Response>> CachedProxy::refresh_by_head(Request& request, Visit visit) {
  const std::int64_t asked_at = wall_ms(*request.loop);
  const std::uint64_t purges = cache_.purges();
  const auto wanted_fields = request.head.fields;
  auto response = co_await pass(request, "method");
  if (!response || response->head.status != 200) co_return response;
  const storage::Wanted wanted{visit.key, wanted_fields, std::nullopt};
  const EntryPtr entry = cache_.memory().find(wanted);
  if (entry == nullptr || entry->meta().part || !entry->content()->is_complete()) co_return response;
  if (!agrees(response->head.fields, *entry)) {
    cache_.remove(entry);
    co_return response;
  }
  auto joined = cache_.memory().join(wanted, entry);
  if (!joined.leads) co_return response;
  auto newer = std::make_shared<const cache::Entry>(
      cache::updated(entry->meta(), response->head.fields, asked_at, wall_ms(*request.loop), options_.policy),
      entry->content());
  cache_.replace(newer, entry, *joined.flight, purges);
  cache_.memory().close(*joined.flight);
  joined.flight->settle(Outcome::kEntry, std::move(newer));
  co_return response;
}

// What an unsafe request has changed (RFC 9111 4.4), and what the answer says that it has (RFC 9875 3).
void CachedProxy::invalidate(const Request& request, const Response& response) {
  if (response.head.status < 200 || response.head.status >= 400) return;
  const cache::Key key = cache_key(request, scope_, options_);
  const std::string_view url = cache::url_of(key.text);
  const std::int64_t now = wall_ms(*request.loop);
  const auto purge = [&](cache::Purge::Kind kind, std::string what) {
    cache_.purge({kind, std::move(what), false}, now);
  };
  purge(cache::Purge::Kind::kUrl, std::string(url));
  const std::string_view origin = cache::origin_of(url);
  for (const FieldId id : {FieldId::kLocation, FieldId::kContentLocation}) {
    const auto place = response.head.fields.get(id);
    if (place.starts_with("/") && !place.starts_with("//")) {
      purge(cache::Purge::Kind::kUrl, std::string(origin).append(place));
    } else if (place.starts_with(origin) && cache::origin_of(place) == origin) {
      purge(cache::Purge::Kind::kUrl, std::string(place));
    }
  }
  for (const std::string& group : cache::cache_groups(response.head.fields, FieldId::kCacheGroupInvalidation)) {
    purge(cache::Purge::Kind::kGroup, std::string(origin) + ' ' + group);
  }
}

}  // namespace rproxy::proxy
