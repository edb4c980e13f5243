#include "upstream/pool.h"

#include <utility>

#include "net/tls_stream.h"
#include "upstream/client_header.h"

namespace rproxy::upstream {

Lease::Lease(std::unique_ptr<Connection> connection, Endpoint& endpoint)
    : connection_(std::move(connection)), endpoint_(&endpoint) {
  ++connection_->requests_;
  endpoint_->state.begin();
}

Lease::Lease(Lease&& other) noexcept
    : connection_(std::move(other.connection_)), endpoint_(other.endpoint_), keep_(other.keep_) {}

Lease::~Lease() {
  if (!connection_) return;
  endpoint_->state.end();
  if (keep_) {
    Pool& pool = connection_->pool_;
    pool.give_back(std::move(connection_));
  }
}

Pool::Pool(net::Loop& loop, const Upstream& upstream, net::TlsClientContext* tls, std::uint64_t seed,
           net::Connect connect)
    : loop_(loop),
      upstream_(upstream),
      tls_(tls),
      connect_(std::move(connect)),
      policy_(balance::make_policy(upstream.options().policy, upstream.states(), seed)),
      budget_(upstream.options().retry),
      idle_(upstream.endpoints().size()) {}

Pool::~Pool() { close_idle(); }

std::optional<Lease> Pool::acquire_idle(std::size_t endpoint, const exchange::Client* client) {
  const std::string header = client_header(options().proxy_protocol, client);
  for (Connection* next = idle_[endpoint].newest; next != nullptr;) {
    Connection& candidate = *next;
    next = candidate.older_;
    if (candidate.client_header_ != header) continue;
    auto connection = unlink(candidate);
    net::Stream& stream = connection->stream();
    stream.unwatch();
    // Bytes that nobody asked for can't be told from the next answer's.
    if (stream.is_ended() || !stream.input().empty()) continue;
    return Lease(std::move(connection), this->endpoint(endpoint));
  }
  return std::nullopt;
}

net::Task<Result<Lease>> Pool::connect(std::size_t index, const exchange::Client* client) {
  Endpoint& target = endpoint(index);
  auto stream = co_await connect_(loop_, target.address, options().connect_timeout);
  if (!stream) co_return fail(std::move(stream.error()));
  std::string header = client_header(options().proxy_protocol, client);
  if (!header.empty()) {
    if (auto done = co_await introduce(**stream, header); !done) co_return fail(std::move(done.error()));
  }
  if (tls_ != nullptr) {
    auto secured = net::TlsStream::connect(std::move(*stream), *tls_, target.tls_name);
    if (auto done = co_await secured->handshake(options().handshake_timeout); !done) {
      done.error().side = Side::kUpstream;
      done.error().retry = Retry::kSafe;
      co_return fail(std::move(done.error()));
    }
    *stream = std::move(secured);
  }
  co_return Lease(std::make_unique<Connection>(*this, index, std::move(*stream), std::move(header)), target);
}

net::Task<Result<void>> Pool::introduce(net::Stream& stream, std::string_view client_header) {
  stream.set_write_timeout(options().connect_timeout);
  auto sent = co_await stream.write(client_header);
  if (sent) co_return Result<void>();
  // Nothing of a request has left.
  sent.error().retry = Retry::kSafe;
  co_return fail(std::move(sent.error()));
}

bool Pool::may_be_kept(const Connection& connection, TimePoint now) const {
  const PoolOptions& limits = options().pool;
  if (idle_[connection.endpoint_].size >= limits.max_idle) return false;
  if (limits.max_requests != 0 && connection.requests_ >= limits.max_requests) return false;
  return limits.lifetime.count() == 0 || now - connection.created_ < limits.lifetime;
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  net::Stream& stream = connection->stream();
  const TimePoint now = loop_.now();
  stream.release();
  if (!stream.input().empty() || stream.is_ended()) return;
  IdleList& list = idle_[connection->endpoint_];
  // Those of clients that have gone must not keep out one whose client is here.
  const bool is_owned = !connection->client_header_.empty();
  if (is_owned && list.oldest != nullptr && list.size >= options().pool.max_idle) unlink(*list.oldest);
  if (!may_be_kept(*connection, now)) return;
  stream.set_read_timeout(Duration{0});
  connection->idle_since_ = now;
  Connection* kept = connection.release();
  kept->older_ = list.newest;
  kept->newer_ = nullptr;
  (list.newest != nullptr ? list.newest->newer_ : list.oldest) = kept;
  list.newest = kept;
  ++list.size;
  kept->stream().watch_end({&Pool::on_idle_end, kept});
}

std::unique_ptr<Connection> Pool::unlink(Connection& connection) {
  IdleList& list = idle_[connection.endpoint_];
  (connection.newer_ != nullptr ? connection.newer_->older_ : list.newest) = connection.older_;
  (connection.older_ != nullptr ? connection.older_->newer_ : list.oldest) = connection.newer_;
  --list.size;
  return std::unique_ptr<Connection>(&connection);
}

void Pool::on_idle_end(void* connection) {
  auto& ended = *static_cast<Connection*>(connection);
  ended.pool_.unlink(ended);
}

void Pool::sweep(TimePoint now) {
  const PoolOptions& limits = options().pool;
  for (IdleList& list : idle_) {
    while (list.oldest != nullptr && limits.idle_timeout.count() != 0 &&
           now - list.oldest->idle_since_ >= limits.idle_timeout) {
      unlink(*list.oldest);
    }
    if (limits.lifetime.count() == 0) continue;
    for (Connection* at = list.oldest; at != nullptr;) {
      Connection& connection = *at;
      at = at->newer_;
      if (now - connection.created_ >= limits.lifetime) unlink(connection);
    }
  }
}

void Pool::close_idle() {
  for (IdleList& list : idle_) {
    while (list.newest != nullptr) unlink(*list.newest);
  }
}

std::size_t Pool::idle_count() const {
  std::size_t count = 0;
  for (const IdleList& list : idle_) count += list.size;
  return count;
}

}  // namespace rproxy::upstream
