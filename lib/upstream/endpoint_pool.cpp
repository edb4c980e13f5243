#include "upstream/endpoint_pool.h"

#include <algorithm>
#include <utility>

#include "net/tls_stream.h"
#include "upstream/client_header.h"

namespace rproxy::upstream {

EndpointPool::EndpointPool(net::Loop& loop, const Reach& reach, EndpointPtr endpoint)
    : loop_(loop), reach_(reach), endpoint_(std::move(endpoint)), series_(endpoint_->series.of(loop.number())) {}

EndpointPool::~EndpointPool() {
  openings_.cancel_all();
  close_idle();
  // Last: a link that is dead asks for its burial when an opening lets go of it.
  loop_.poller().forget(*this);
}

std::optional<Lease> EndpointPool::acquire_idle(Place& place, const exchange::Client* client) {
  if (options().protocol != Protocol::kHttp1) {
    if (auto lease = lease_link(place)) return lease;
  }
  const std::string header = client_header(options().proxy_protocol, client);
  for (Connection* next = newest_; next != nullptr;) {
    Connection& candidate = *next;
    next = candidate.older_;
    if (candidate.client_header_ != header) continue;
    auto connection = unlink(candidate);
    net::Stream& stream = connection->stream();
    stream.unwatch();
    // Bytes that nobody asked for can't be told from the next answer's.
    if (stream.is_ended() || !stream.input().empty()) continue;
    return Lease(std::move(connection), std::move(place));
  }
  return std::nullopt;
}

bool EndpointPool::needs_connection(const exchange::Client* client) const {
  // Who waits for one that is being made gets a share of it.
  if (opening_ != nullptr || std::ranges::any_of(links_, [](const auto& link) { return link->has_room(); })) {
    return false;
  }
  if (options().proxy_protocol == ProxyProtocol::kOff) return newest_ == nullptr;
  const std::string header = client_header(options().proxy_protocol, client);
  for (const Connection* kept = newest_; kept != nullptr; kept = kept->older_) {
    if (kept->client_header_ == header) return false;
  }
  return true;
}

// That which came with the place; else one more.
Result<ConnectionPermit> EndpointPool::permit_for(Place& place) const {
  if (auto reserved = place.take_permit()) return reserved;
  if (auto permit = ConnectionPermit::try_acquire(capacity())) return std::move(*permit);
  return fail(ErrorCode::kOverloaded, Side::kUpstream, Retry::kSafe, "as many connections as there may be");
}

net::Task<Result<Lease>> EndpointPool::connect(Place place, const exchange::Client* client) {
  const bool is_http1 = options().protocol == Protocol::kHttp1 || agreed_on_http1_;
  return is_http1 ? connect_alone(std::move(place), client_header(options().proxy_protocol, client))
                  : join_link(std::move(place));
}

// `header`, where there is one, goes first.
net::Task<Result<EndpointPool::Opened>> EndpointPool::open_stream(std::string_view header) {
  auto stream = co_await reach_.connect(loop_, endpoint_->address, options().connect_timeout);
  if (!stream) co_return fail(std::move(stream.error()));
  if (!header.empty()) {
    if (auto done = co_await introduce(**stream, header); !done) co_return fail(std::move(done.error()));
  }
  if (reach_.tls == nullptr) co_return Opened{std::move(*stream), options().protocol == Protocol::kHttp2};
  auto secured = net::TlsStream::connect(std::move(*stream), *reach_.tls, endpoint_->tls_name);
  if (auto done = co_await secured->handshake(options().handshake_timeout); !done) {
    done.error().side = Side::kUpstream;
    done.error().retry = Retry::kSafe;
    co_return fail(std::move(done.error()));
  }
  const bool is_http2 = secured->alpn() == "h2";
  if (!is_http2 && options().protocol == Protocol::kHttp2) {
    co_return fail(ErrorCode::kTlsHandshake, Side::kUpstream, Retry::kSafe, "the server does not speak h2");
  }
  co_return Opened{std::move(secured), is_http2};
}

net::Task<Result<void>> EndpointPool::introduce(net::Stream& stream, std::string_view client_header) {
  stream.set_write_timeout(options().connect_timeout);
  auto sent = co_await stream.write(client_header);
  if (sent) co_return Result<void>();
  // Nothing of a request has left.
  sent.error().retry = Retry::kSafe;
  co_return fail(std::move(sent.error()));
}

net::Task<Result<Lease>> EndpointPool::connect_alone(Place place, std::string header) {
  auto made = co_await make_alone(std::move(place), std::move(header));
  if (!made && made.error().code != ErrorCode::kOverloaded) has_failed_ = true;
  co_return made;
}

net::Task<Result<Lease>> EndpointPool::make_alone(Place place, std::string header) {
  auto permit = permit_for(place);
  if (!permit) co_return fail(std::move(permit.error()));
  auto opened = co_await open_stream(header);
  if (!opened) co_return fail(std::move(opened.error()));
  if (opened->is_http2) {
    // It has learnt it meanwhile.
    agreed_on_http1_ = false;
    Http2Link& link = add_link(std::move(opened->stream), std::move(*permit));
    Lease lease(link, std::move(place));
    if (auto greeted = co_await link.greet(options().handshake_timeout); !greeted) {
      co_return fail(std::move(greeted.error()));
    }
    if (!link.takes_requests()) {
      link.retire();
      co_return fail(ErrorCode::kConnectFailed, Side::kUpstream, Retry::kSafe, "the server takes no requests");
    }
    co_return lease;
  }
  auto connection =
      std::make_unique<Connection>(*this, std::move(*permit), std::move(opened->stream), std::move(header));
  co_return Lease(std::move(connection), std::move(place));
}

// A connection that takes many requests is worth waiting for, together.
net::Task<Result<Lease>> EndpointPool::join_link(Place place) {
  while (!agreed_on_http1_) {
    auto opening = opening_;
    if (!opening) {
      auto permit = permit_for(place);
      if (!permit) co_return fail(std::move(permit.error()));
      opening = opening_ = std::make_shared<Opening>();
      openings_.spawn(open_link(opening, std::move(*permit)));
    }
    if (opening_ == opening) co_await opening->waiters;
    if (opening->error) co_return fail(*opening->error);
    if (auto lease = acquire_idle(place, nullptr)) co_return std::move(*lease);
  }
  co_return co_await connect_alone(std::move(place), {});
}

net::Task<void> EndpointPool::open_link(std::shared_ptr<Opening> opening, ConnectionPermit permit) {
  auto opened = co_await open_stream({});
  // Until those who wait have taken their places, lest it closes as a link that nobody needs.
  std::optional<Http2Link::Hold> hold;
  if (!opened) {
    opening->error = std::move(opened.error());
  } else if (opened->is_http2) {
    Http2Link& link = add_link(std::move(opened->stream), std::move(permit));
    hold.emplace(link);
    if (auto greeted = co_await link.greet(options().handshake_timeout); !greeted) {
      opening->error = std::move(greeted.error());
    } else if (link.requests() == 0 && !link.takes_requests()) {
      // Who has waited for it would only open another, and so on.
      opening->error =
          Error(ErrorCode::kConnectFailed, Side::kUpstream, Retry::kSafe, 0, "the server takes no requests");
      link.retire();
    }
  } else {
    agreed_on_http1_ = true;
    give_back(std::make_unique<Connection>(*this, std::move(permit), std::move(opened->stream), std::string()));
  }
  if (opening->error) has_failed_ = true;
  opening_.reset();
  opening->waiters.wake_all();
}

// The newest first: the others are the more likely to be stale.
std::optional<Lease> EndpointPool::lease_link(Place& place) {
  const auto found = std::find_if(links_.rbegin(), links_.rend(), [](const auto& link) { return link->has_room(); });
  if (found == links_.rend()) return std::nullopt;
  return Lease(**found, std::move(place));
}

Http2Link& EndpointPool::add_link(net::StreamPtr stream, ConnectionPermit permit) {
  links_.push_back(std::make_unique<Http2Link>(*this, std::move(permit), std::move(stream), options()));
  return *links_.back();
}

void EndpointPool::bury(Http2Link& link) {
  const auto at = std::ranges::find(links_, &link, &std::unique_ptr<Http2Link>::get);
  if (at == links_.end()) return;
  buried_.push_back(std::move(*at));
  links_.erase(at);
  loop_.poller().at_end(*this);
}

void EndpointPool::on_ready(std::uint32_t) { buried_.clear(); }

bool EndpointPool::may_be_kept(const Connection& connection, TimePoint now) const {
  if (!keeps_ || has_to_share()) return false;
  const PoolOptions& limits = options().pool;
  if (idle_ >= limits.max_idle) return false;
  if (limits.max_requests != 0 && connection.requests_ >= limits.max_requests) return false;
  return limits.lifetime.count() == 0 || now - connection.created_ < limits.lifetime;
}

void EndpointPool::give_back(std::unique_ptr<Connection> connection) {
  net::Stream& stream = connection->stream();
  const TimePoint now = loop_.now();
  stream.release();
  // Those of clients that have gone must not keep out one whose client is here.
  const bool is_owned = !connection->client_header_.empty();
  if (is_owned && oldest_ != nullptr && idle_ >= options().pool.max_idle) unlink(*oldest_);
  if (!stream.input().empty() || stream.is_ended() || !may_be_kept(*connection, now)) return;
  stream.set_read_timeout(Duration{0});
  connection->idle_since_ = now;
  Connection* kept = connection.release();
  kept->older_ = newest_;
  kept->newer_ = nullptr;
  (newest_ != nullptr ? newest_->newer_ : oldest_) = kept;
  newest_ = kept;
  ++idle_;
  kept->stream().watch_end({&EndpointPool::on_idle_end, kept});
}

std::unique_ptr<Connection> EndpointPool::unlink(Connection& connection) {
  (connection.newer_ != nullptr ? connection.newer_->older_ : newest_) = connection.older_;
  (connection.older_ != nullptr ? connection.older_->newer_ : oldest_) = connection.newer_;
  --idle_;
  return std::unique_ptr<Connection>(&connection);
}

void EndpointPool::on_idle_end(void* connection) {
  auto& ended = *static_cast<Connection*>(connection);
  ended.pool_.unlink(ended);
}

// Somebody elsewhere waits who may need another connection, and there may be no more.
bool EndpointPool::has_to_share() const {
  if (capacity().queue.waiting() == 0) return false;
  constexpr auto kConnections = balance::CircuitBreaker::Resource::kConnections;
  const std::uint32_t max = capacity().breaker.max(kConnections);
  return max != 0 && capacity().breaker.in_use(kConnections) >= max && !capacity().queue.is_first_on(loop_);
}

void EndpointPool::sweep(TimePoint now) {
  for (const auto& link : links_) link->check(now);
  while (has_to_share() && close_one_idle()) {
  }
  const PoolOptions& limits = options().pool;
  while (oldest_ != nullptr && limits.idle_timeout.count() != 0 && now - oldest_->idle_since_ >= limits.idle_timeout) {
    unlink(*oldest_);
  }
  if (limits.lifetime.count() == 0) return;
  for (Connection* at = oldest_; at != nullptr;) {
    Connection& connection = *at;
    at = at->newer_;
    if (now - connection.created_ >= limits.lifetime) unlink(connection);
  }
}

void EndpointPool::close_idle() {
  for (const auto& link : links_) link->retire();
  while (newest_ != nullptr) unlink(*newest_);
}

bool EndpointPool::close_one_idle() {
  if (oldest_ != nullptr) {
    unlink(*oldest_);
    return true;
  }
  const auto unused =
      std::ranges::find_if(links_, [](const auto& link) { return !link->is_used() && link->has_room(); });
  if (unused == links_.end()) return false;
  (*unused)->retire();
  return false;
}

std::size_t EndpointPool::idle_count() const {
  const auto unused = std::ranges::count_if(links_, [](const auto& link) { return !link->is_used(); });
  return idle_ + static_cast<std::size_t>(unused);
}

}  // namespace rproxy::upstream
