#include "upstream/lease.h"

#include <utility>

#include "upstream/endpoint_pool.h"

namespace rproxy::upstream {

std::optional<Place> Place::take(EndpointPool& pool) {
  const std::uint32_t max_requests = pool.capacity().breaker.max_requests();
  if (!pool.endpoint().state.try_begin(max_requests)) return std::nullopt;
  ++pool.places_;
  return Place(pool);
}

Place::~Place() {
  if (pool_ == nullptr) return;
  pool_->endpoint().state.end();
  --pool_->places_;
  pool_->capacity().queue.room();
}

Lease::Lease(std::unique_ptr<Connection> connection, Place place)
    : place_(std::move(place)), connection_(std::move(connection)), reused_(connection_->requests_ > 0) {
  (void)place_.take_permit();
  ++connection_->requests_;
}

Lease::Lease(Http2Link& link, Place place) : place_(std::move(place)), link_(&link), reused_(link.requests() > 0) {
  (void)place_.take_permit();
  link.begin_lease();
}

Lease::Lease(Lease&& other) noexcept
    : place_(std::move(other.place_)),
      connection_(std::move(other.connection_)),
      link_(std::exchange(other.link_, nullptr)),
      reused_(other.reused_),
      keep_(std::exchange(other.keep_, false)) {}

Lease::~Lease() {
  if (link_ != nullptr) {
    link_->end_lease();
  } else if (keep_ && connection_ != nullptr) {
    EndpointPool& pool = connection_->pool_;
    pool.give_back(std::move(connection_));
  }
}

}  // namespace rproxy::upstream
