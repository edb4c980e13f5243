#include "upstream/http2_link.h"

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "upstream/endpoint_pool.h"

namespace rproxy::upstream {

Http2Link::Http2Link(EndpointPool& pool, ConnectionPermit permit, net::StreamPtr stream, const Options& options)
    : Http2Connection(std::move(stream), http2::Session::Role::kClient, options.http2.protocol, options.head, nullptr),
      pool_(pool),
      permit_(std::move(permit)),
      options_(options),
      created_(loop().now()),
      idle_since_(created_),
      greeted_(*this),
      greet_deadline_([](void* self) { static_cast<Http2Link*>(self)->on_greet_deadline(); }, this),
      ping_deadline_([](void* self) { static_cast<Http2Link*>(self)->on_ping_deadline(); }, this) {
  this->stream().set_write_timeout(options.send_timeout);
  reader_ = net::Child<void>(read());
}

net::Task<void> Http2Link::read() {
  (void)co_await run();
  dead_ = true;
  greeted_.end();
  if (!is_used()) pool_.bury(*this);
}

net::Task<Result<void>> Http2Link::greet(Duration timeout) {
  greet_deadline_.arm(loop().wheel(), timeout);
  while (!session().has_peer_settings() && !dead_ && !greet_expired_) co_await greeted_;
  greet_deadline_.disarm();
  if (session().has_peer_settings()) co_return Result<void>();
  if (greet_expired_) co_return fail(ErrorCode::kHandshakeTimeout, Side::kUpstream, Retry::kSafe, "no HTTP/2 settings");
  co_return fail(ErrorCode::kConnectFailed, Side::kUpstream, Retry::kSafe, "the server does not speak HTTP/2");
}

// Whoever waited for it may have gone.
void Http2Link::on_greet_deadline() {
  if (session().has_peer_settings()) return;
  greet_expired_ = true;
  greeted_.end();
  abort();
}

void Http2Link::on_round() {
  if (session().has_peer_settings()) greeted_.end();
  if (ping_deadline_.is_armed() && session().pongs() != pongs_before_) ping_deadline_.disarm();
  if (session().is_going_away()) retire();
  if (const auto abuse = session().abuse(); !abuse.empty() && !std::exchange(abuse_told_, true)) {
    log::warn("upstream {}: closing a connection to {}: {}", options_.name, pool_.endpoint().state.name(), abuse);
  }
}

bool Http2Link::has_room() const {
  if (retired_ || !takes_requests()) return false;
  if (options_.pool.max_idle == 0 && requests_ > 0) return false;
  return leases_ < std::min(options_.http2.protocol.max_streams, session().peer_max_streams());
}

bool Http2Link::takes_requests() const {
  return !dead_ && session().has_peer_settings() && session().can_request() && session().peer_max_streams() > 0;
}

void Http2Link::begin_lease() {
  ++leases_;
  ++requests_;
  const auto& limits = options_.pool;
  if (limits.max_requests != 0 && requests_ >= limits.max_requests) retired_ = true;
}

void Http2Link::end_lease() {
  --leases_;
  end_use();
}

void Http2Link::end_use() {
  if (is_used()) return;
  idle_since_ = loop().now();
  if (dead_) return pool_.bury(*this);
  if (retired_ || options_.pool.max_idle == 0) close();
}

void Http2Link::retire() {
  if (std::exchange(retired_, true)) return;
  if (!is_used()) close();
}

void Http2Link::close() {
  retired_ = true;
  session().terminate(http2::ErrorWord::kNoError);
  schedule();
}

void Http2Link::check(TimePoint now) {
  if (dead_) return;
  const auto& limits = options_.pool;
  if (limits.lifetime.count() != 0 && now - created_ >= limits.lifetime) retire();
  if (leases_ == 0) {
    if (limits.idle_timeout.count() != 0 && now - idle_since_ >= limits.idle_timeout) retire();
    return;
  }
  const Duration interval = options_.http2.ping_interval;
  if (interval.count() != 0 && now - last_received() >= interval) suspect();
}

void Http2Link::suspect() {
  if (dead_ || ping_deadline_.is_armed()) return;
  pongs_before_ = session().pongs();
  session().ping();
  schedule();
  ping_deadline_.arm(loop().wheel(), options_.http2.ping_timeout);
}

void Http2Link::on_ping_deadline() {
  retired_ = true;
  abort();
}

}  // namespace rproxy::upstream
