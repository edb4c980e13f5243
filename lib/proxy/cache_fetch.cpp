#include "proxy/cache_fetch.h"

#include <algorithm>
#include <utility>

#include "http/conditional.h"
#include "proxy/cache_filling.h"
#include "proxy/cache_visit.h"

namespace rproxy::proxy {

using cache::StoreVerdict;
using exchange::Response;
using http::FieldId;
using Outcome = storage::Flight::Outcome;

namespace {

bool is_failure(std::uint16_t status) { return status == 500 || status == 502 || status == 503 || status == 504; }

// What a 304 says it is about must be what is stored (RFC 9111 4.3.4).
bool is_about(const http::Fields& not_modified, const cache::Entry& stored) {
  const auto tag = not_modified.get(FieldId::kEtag);
  const auto ours = stored.fields().get(FieldId::kEtag);
  return tag.empty() || ours.empty() || http::matches_weakly(tag, ours);
}

}  // namespace

CacheFetch::CacheFetch(const exchange::Request& request, const Order& order)
    : detached_(request),
      asked_head_(detached_.request().head),
      cache_(order.cache),
      policy_(order.policy),
      flight_(order.flight),
      stale_(order.stale),
      asked_(order.asked),
      may_store_(order.may_store),
      purges_(order.cache.purges()) {
  key_.text = detached_.arena().copy(order.key);
  key_.extras = detached_.arena().copy(order.extras);
  key_.digest = flight_->digest();
  request_.head.method = "GET";
  request_.head.method_id = asked_head_.method_id = http::Method::kGet;
  request_.is_for_many = true;
  request_.interim = this;
  make_conditional();
}

CacheFetch::~CacheFetch() {
  if (!is_closed_) close(Outcome::kAbandoned);
}

// What the client has is compared with what is stored; the upstream is asked about the latter.
void CacheFetch::make_conditional() {
  http::Fields& fields = request_.head.fields;
  for (const FieldId id : {FieldId::kIfNoneMatch, FieldId::kIfModifiedSince, FieldId::kIfRange}) fields.remove(id);
  // A part is asked for anew.
  if (stale_ != nullptr && stale_->meta().part) stale_ = nullptr;
  if (stale_ == nullptr) return;
  fields.remove(FieldId::kRange);
  if (const auto tag = stale_->fields().get(FieldId::kEtag); !tag.empty()) {
    fields.add(FieldId::kIfNoneMatch, detached_.arena().copy(tag));
  }
  if (const auto date = stale_->fields().get(FieldId::kLastModified); !date.empty()) {
    fields.add(FieldId::kIfModifiedSince, detached_.arena().copy(date));
  }
}

// Nobody joins it from here on.
void CacheFetch::close(Outcome outcome, cache::EntryPtr entry, std::optional<Error> error) {
  is_closed_ = true;
  cache_.memory().close(*flight_);
  flight_->settle(outcome, std::move(entry), std::move(error));
}

net::Task<void> CacheFetch::run(std::shared_ptr<CacheFetch> self, exchange::Handler& next, downstream::Use use) {
  const downstream::Use held = std::move(use);
  CacheFetch& fetch = *self;
  fetch.requested_ms_ = wall_ms(*fetch.request_.loop);
  auto response = co_await next.handle(fetch.request_);
  fetch.received_ms_ = wall_ms(*fetch.request_.loop);
  fetch.status_ = response ? response->head.status : 0;
  if (fetch.falls_back(response)) co_return fetch.close(Outcome::kEntry, fetch.stale_);
  if (!response) co_return fetch.settle_failed(std::move(response));
  if (response->head.status == 304) co_return fetch.settle_validated(*response);
  const auto directives = cache::ResponseDirectives::of(response->head.fields);
  const auto freshness = cache::freshness_of(response->head.status, response->head.fields, directives, fetch.policy_,
                                             fetch.received_ms_ / 1000);
  fetch.verdict_ = fetch.judge(*response, directives, freshness);
  if (fetch.verdict_ != StoreVerdict::kStore) co_return fetch.settle_alone(std::move(response));
  co_await fetch.store(std::move(*response), directives, freshness);
}

bool CacheFetch::falls_back(const Result<Response>& response) const {
  if (stale_ == nullptr || (response && !is_failure(response->head.status))) return false;
  return cache::may_serve_on_error(*stale_, asked_, received_ms_);
}

void CacheFetch::settle_failed(Result<Response> response) {
  const Error error = response.error();
  answer_.emplace(std::move(response));
  close(Outcome::kFailed, nullptr, error);
}

void CacheFetch::settle_validated(const Response& response) {
  if (stale_ == nullptr) return close(Outcome::kAbandoned);
  const auto directives = cache::ResponseDirectives::of(response.head.fields);
  if (!is_about(response.head.fields, *stale_) || directives.no_store || directives.is_private) {
    cache_.remove(stale_);
    return close(Outcome::kAbandoned);
  }
  auto entry = std::make_shared<const cache::Entry>(
      cache::updated(stale_->meta(), response.head.fields, requested_ms_, received_ms_, policy_), stale_->content());
  cache_.replace(entry, stale_, *flight_, purges_);
  close(Outcome::kEntry, std::move(entry));
}

// It is for who asked first; what is stored of this URL is no more what the upstream says.
void CacheFetch::settle_alone(Result<Response> response) {
  const bool is_good = !is_failure(response->head.status);
  if (is_good && stale_ != nullptr) cache_.remove(stale_);
  // What was only purged meanwhile, or is so because of what this one client asked, says nothing of the next answer.
  const bool is_of_this_request = verdict_ == StoreVerdict::kClientNoStore ||
                                  verdict_ == StoreVerdict::kAuthorization || asked_head_.fields.has(FieldId::kRange);
  if (is_good && !is_of_this_request && !was_refused_) {
    cache_.memory().note_private(key_.digest, received_ms_ + cache_.options().private_for.count());
  }
  if (starter_is_there_) answer_.emplace(std::move(response));
  close(Outcome::kAlone);
}

StoreVerdict CacheFetch::judge(const Response& response, const cache::ResponseDirectives& directives,
                               const cache::Freshness& freshness) const {
  if (!may_store_) return StoreVerdict::kClientNoStore;
  const StoreVerdict verdict = cache::may_store(asked_head_, asked_, response.head, directives, freshness, policy_);
  if (verdict != StoreVerdict::kStore) return verdict;
  const auto length = response.body != nullptr ? response.body->length() : http::BodyLength();
  const bool is_known = length.kind == http::BodyLength::Kind::kFixed;
  if (is_known && length.bytes > object_max()) return StoreVerdict::kTooLarge;
  if (response.head.status == 206) {
    const auto part = http::parse_content_range(response.head.fields.get(FieldId::kContentRange));
    if (!part || !is_known || part->range.size() != length.bytes) return StoreVerdict::kPartial;
  }
  return cache_.has_room_to_fill() || cache_.disk() != nullptr ? StoreVerdict::kStore : StoreVerdict::kTooLarge;
}

std::uint64_t CacheFetch::object_max() const {
  return policy_.object_max.bytes != 0 ? std::min(policy_.object_max.bytes, cache_.object_max()) : cache_.object_max();
}

net::Task<void> CacheFetch::store(Response response, const cache::ResponseDirectives& directives,
                                  const cache::Freshness& freshness) {
  std::optional<std::uint64_t> length;
  if (response.body == nullptr) {
    length = 0;
  } else if (response.body->length().kind == http::BodyLength::Kind::kFixed) {
    length = response.body->length().bytes;
  }
  if (const auto rule = cache::SearchRule::of(response.head.fields)) {
    cache_.learn(key_, *rule);
    key_ = cache_.shared_key(key_, detached_.arena());
  }
  const cache::Arrival arrival{asked_head_, response.head, directives, freshness, requested_ms_, received_ms_};
  const auto entry = std::make_shared<const cache::Entry>(cache::make_meta(key_, arrival, policy_),
                                                          std::make_shared<cache::Content>(length));
  CacheFilling filling(cache_, entry, object_max());
  if (!filling.can_be_kept()) {
    verdict_ = StoreVerdict::kTooLarge;
    co_return settle_alone(std::move(response));
  }
  if (!cache_.insert(entry, stale_, *flight_, purges_)) {
    was_refused_ = true;
    co_return settle_alone(std::move(response));
  }
  close(Outcome::kEntry, entry);
  co_await fill(filling, *entry->content(), response.body.get());
}

net::Task<void> CacheFetch::fill(CacheFilling& filling, cache::Content& content, exchange::Body* body) {
  if (body == nullptr) co_return filling.finish();
  Wakeup room(*request_.loop);
  for (;;) {
    auto slice = co_await body->read();
    if (!slice) co_return filling.fail(std::move(slice.error()));
    filling.append(slice->data);
    if (slice->last) co_return filling.finish();
    while (!content.has_room(room)) co_await room.told();
    if (!filling.is_stored() && !content.has_readers()) co_return;
  }
}

void CacheFetch::leave() {
  starter_is_there_ = false;
  wakeup_ = nullptr;
}

// Its text is of a connection that goes on.
net::Task<Result<void>> CacheFetch::interim(http::ResponseHead& head) {
  if (!starter_is_there_) co_return Result<void>();
  http::ResponseHead copy;
  copy.status = head.status;
  for (const auto& field : head.fields) {
    copy.fields.add(http::Field{detached_.arena().copy(field.name), detached_.arena().copy(field.value), field.id});
  }
  interim_.push_back(std::move(copy));
  if (wakeup_ != nullptr) wakeup_->on_change();
  co_return Result<void>();
}

http::ResponseHead CacheFetch::take_interim() {
  http::ResponseHead head = std::move(interim_.front());
  interim_.pop_front();
  return head;
}

}  // namespace rproxy::proxy
