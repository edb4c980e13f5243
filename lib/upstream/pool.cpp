#include "upstream/pool.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace rproxy::upstream {
namespace {

// Connections made by the one serve the other as well.
bool reach_alike(const Options& a, const Options& b) {
  return a.pool == b.pool && a.tls == b.tls && a.protocol == b.protocol && a.http2 == b.http2 &&
         a.proxy_protocol == b.proxy_protocol && a.head == b.head && a.connect_timeout == b.connect_timeout &&
         a.handshake_timeout == b.handshake_timeout && a.send_timeout == b.send_timeout;
}

}  // namespace

Pool::Pool(net::Loop& loop, Reach reach, std::uint64_t seed, const Pool* previous)
    : loop_(loop), reach_(std::move(reach)), seed_(seed), budget_(options().retry), hedges_(options().retry) {
  adopt(previous != nullptr && reach_alike(options(), previous->options()) ? previous->pools_ : EndpointPools());
}

// Endpoints that stay keep their connections; those of others finish what they are at.
void Pool::adopt(const EndpointPools& known) {
  std::unordered_map<const Endpoint*, std::shared_ptr<EndpointPool>> by_endpoint;
  for (const auto& pool : known) by_endpoint.emplace(&pool->endpoint(), pool);
  set_ = reach_.upstream->endpoints();
  pools_.clear();
  for (const auto& endpoint : set_->endpoints()) {
    auto& pool = by_endpoint[endpoint.get()];
    if (pool == nullptr) pool = std::make_shared<EndpointPool>(loop_, reach_, endpoint);
    pools_.push_back(pool);
  }
  policy_ = balance::make_policy(options().policy, set_->states(), seed_);
}

void Pool::update() {
  EndpointPools known = std::move(pools_);
  known.insert(known.end(), leaving_.begin(), leaving_.end());
  adopt(known);
  leaving_.clear();
  const std::unordered_set<std::shared_ptr<EndpointPool>> staying(pools_.begin(), pools_.end());
  for (auto& pool : known) {
    if (staying.contains(pool)) continue;
    pool->close();
    leaving_.push_back(std::move(pool));
  }
}

Result<Place> Pool::pick(const balance::PickRequest& request, const exchange::Client* client) {
  (void)endpoints();
  // Another worker may take the last place meanwhile; who is full then is passed over.
  for (std::size_t tries = 0; tries <= pools_.size(); ++tries) {
    const auto picked = policy_->pick(request);
    if (!picked && !policy_->is_full(request)) return fail(ErrorCode::kNoEndpoint, Side::kUpstream);
    if (!picked) break;
    EndpointPool& pool = *pools_[*picked];
    auto place = take(pool, client);
    if (place || !pool.endpoint().state.is_full()) return place;
  }
  return fail(ErrorCode::kOverloaded, Side::kUpstream, Retry::kSafe);
}

std::optional<Place> Pool::pick(const Endpoint& endpoint, const exchange::Client* client) {
  const auto all = endpoints().endpoints();
  const auto found = std::ranges::find(all, &endpoint, &EndpointPtr::get);
  if (found == all.end()) return std::nullopt;
  auto place = take(*pools_[static_cast<std::size_t>(found - all.begin())], client);
  return place ? std::optional(std::move(*place)) : std::nullopt;
}

// What is given back because the other can't be had makes no room: nobody is told, lest those who wait wake each other for ever.
Result<Place> Pool::take(EndpointPool& pool, const exchange::Client* client) {
  Permit permit;
  if (may_connect(pool, client, permit)) {
    if (auto place = Place::take(pool)) {
      if (permit) place->reserve(ConnectionPermit(upstream().capacity(), std::move(*permit)));
      return std::move(*place);
    }
  }
  return fail(ErrorCode::kOverloaded, Side::kUpstream, Retry::kSafe);
}

// With the permit that it takes, where connections are limited; one that nobody uses makes room for it.
bool Pool::may_connect(EndpointPool& pool, const exchange::Client* client, Permit& permit) {
  using Resource = balance::CircuitBreaker::Resource;
  if (breaker().max(Resource::kConnections) == 0 || !pool.needs_connection(client)) return true;
  permit = breaker().try_acquire(Resource::kConnections);
  if (permit) return true;
  const bool is_one_closed = std::ranges::any_of(pools_, [](const auto& each) { return each->close_one_idle(); });
  if (is_one_closed) permit = breaker().try_acquire(Resource::kConnections);
  return permit.has_value();
}

const EndpointSet& Pool::endpoints() {
  if (set_->version() != reach_.upstream->version()) update();
  return *set_;
}

void Pool::sweep(TimePoint now) {
  // A server may have come, or come back, which tells nobody.
  queue().look_again();
  for (const auto& pool : pools_) pool->sweep(now);
  for (const auto& pool : leaving_) pool->sweep(now);
  std::erase_if(leaving_, [](const auto& pool) { return !pool->is_used(); });
}

void Pool::close_idle() {
  for (const auto& pool : pools_) pool->close_idle();
}

void Pool::retire() {
  for (const auto& pool : pools_) {
    if (pool.use_count() == 1) pool->close();
  }
}

std::size_t Pool::idle_count() const {
  std::size_t count = 0;
  for (const auto& pool : pools_) count += pool->idle_count();
  return count;
}

}  // namespace rproxy::upstream
