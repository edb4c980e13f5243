#include "upstream/pool.h"

#include <algorithm>
#include <utility>

#include "net/tls_stream.h"
#include "upstream/client_header.h"

namespace rproxy::upstream {

Lease::Lease(std::unique_ptr<Connection> connection, Endpoint& endpoint)
    : connection_(std::move(connection)), endpoint_(&endpoint), reused_(connection_->requests_ > 0) {
  ++connection_->requests_;
  endpoint_->state.begin();
}

Lease::Lease(Http2Link& link, Endpoint& endpoint) : link_(&link), endpoint_(&endpoint), reused_(link.requests() > 0) {
  link.begin_lease();
  endpoint_->state.begin();
}

Lease::Lease(Lease&& other) noexcept
    : connection_(std::move(other.connection_)),
      link_(std::exchange(other.link_, nullptr)),
      endpoint_(std::exchange(other.endpoint_, nullptr)),
      reused_(other.reused_),
      keep_(other.keep_) {}

Lease::~Lease() {
  if (endpoint_ == nullptr) return;
  endpoint_->state.end();
  if (link_ != nullptr) {
    link_->end_lease();
  } else if (keep_) {
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
      idle_(upstream.endpoints().size()),
      links_(upstream.endpoints().size()) {}

Pool::~Pool() {
  openings_.cancel_all();
  close_idle();
  // Last: a link that is dead asks for its burial when an opening lets go of it.
  loop_.poller().forget(*this);
}

std::optional<Lease> Pool::acquire_idle(std::size_t endpoint, const exchange::Client* client) {
  if (options().protocol != Protocol::kHttp1) {
    if (auto lease = lease_link(endpoint)) return lease;
  }
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
  const bool is_http1 = options().protocol == Protocol::kHttp1 || links_[index].agreed_on_http1;
  return is_http1 ? connect_alone(index, client_header(options().proxy_protocol, client)) : join_link(index);
}

// `header`, where there is one, goes first.
net::Task<Result<Pool::Opened>> Pool::open_stream(std::size_t index, std::string_view header) {
  Endpoint& target = endpoint(index);
  auto stream = co_await connect_(loop_, target.address, options().connect_timeout);
  if (!stream) co_return fail(std::move(stream.error()));
  if (!header.empty()) {
    if (auto done = co_await introduce(**stream, header); !done) co_return fail(std::move(done.error()));
  }
  if (tls_ == nullptr) co_return Opened{std::move(*stream), options().protocol == Protocol::kHttp2};
  auto secured = net::TlsStream::connect(std::move(*stream), *tls_, target.tls_name);
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

net::Task<Result<void>> Pool::introduce(net::Stream& stream, std::string_view client_header) {
  stream.set_write_timeout(options().connect_timeout);
  auto sent = co_await stream.write(client_header);
  if (sent) co_return Result<void>();
  // Nothing of a request has left.
  sent.error().retry = Retry::kSafe;
  co_return fail(std::move(sent.error()));
}

net::Task<Result<Lease>> Pool::connect_alone(std::size_t index, std::string header) {
  auto made = co_await make_alone(index, std::move(header));
  if (!made) links_[index].has_failed = true;
  co_return made;
}

net::Task<Result<Lease>> Pool::make_alone(std::size_t index, std::string header) {
  auto opened = co_await open_stream(index, header);
  if (!opened) co_return fail(std::move(opened.error()));
  if (opened->is_http2) {
    // It has learnt it meanwhile.
    links_[index].agreed_on_http1 = false;
    Http2Link& link = add_link(index, std::move(opened->stream));
    Lease lease(link, endpoint(index));
    if (auto greeted = co_await link.greet(options().handshake_timeout); !greeted) {
      co_return fail(std::move(greeted.error()));
    }
    if (!link.takes_requests()) {
      link.retire();
      co_return fail(ErrorCode::kConnectFailed, Side::kUpstream, Retry::kSafe, "the server takes no requests");
    }
    co_return lease;
  }
  co_return Lease(std::make_unique<Connection>(*this, index, std::move(opened->stream), std::move(header)),
                  endpoint(index));
}

// A connection that takes many requests is worth waiting for, together.
net::Task<Result<Lease>> Pool::join_link(std::size_t index) {
  while (!links_[index].agreed_on_http1) {
    auto opening = links_[index].opening;
    if (!opening) {
      opening = links_[index].opening = std::make_shared<Opening>();
      openings_.spawn(open_link(index, opening));
    }
    if (links_[index].opening == opening) co_await opening->waiters;
    if (opening->error) co_return fail(*opening->error);
    if (auto lease = acquire_idle(index, nullptr)) co_return std::move(*lease);
  }
  co_return co_await connect_alone(index, {});
}

net::Task<void> Pool::open_link(std::size_t index, std::shared_ptr<Opening> opening) {
  auto opened = co_await open_stream(index, {});
  // Until those who wait have taken their places, lest it closes as a link that nobody needs.
  std::optional<Http2Link::Hold> hold;
  if (!opened) {
    opening->error = std::move(opened.error());
  } else if (opened->is_http2) {
    Http2Link& link = add_link(index, std::move(opened->stream));
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
    links_[index].agreed_on_http1 = true;
    give_back(std::make_unique<Connection>(*this, index, std::move(opened->stream), std::string()));
  }
  if (opening->error) links_[index].has_failed = true;
  links_[index].opening.reset();
  opening->waiters.wake_all();
}

// The newest first: the others are the more likely to be stale.
std::optional<Lease> Pool::lease_link(std::size_t index) {
  const auto& all = links_[index].all;
  const auto found = std::find_if(all.rbegin(), all.rend(), [](const auto& link) { return link->has_room(); });
  if (found == all.rend()) return std::nullopt;
  return Lease(**found, endpoint(index));
}

Http2Link& Pool::add_link(std::size_t index, net::StreamPtr stream) {
  auto& all = links_[index].all;
  all.push_back(std::make_unique<Http2Link>(*this, index, std::move(stream), options()));
  return *all.back();
}

void Pool::bury(Http2Link& link) {
  auto& all = links_[link.endpoint()].all;
  const auto at = std::ranges::find(all, &link, &std::unique_ptr<Http2Link>::get);
  if (at == all.end()) return;
  buried_.push_back(std::move(*at));
  all.erase(at);
  loop_.poller().at_end(*this);
}

void Pool::on_ready(std::uint32_t) { buried_.clear(); }

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
  IdleList& list = idle_[connection->endpoint_];
  // Those of clients that have gone must not keep out one whose client is here.
  const bool is_owned = !connection->client_header_.empty();
  if (is_owned && list.oldest != nullptr && list.size >= options().pool.max_idle) unlink(*list.oldest);
  if (!stream.input().empty() || stream.is_ended() || !may_be_kept(*connection, now)) return;
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
  for (Links& links : links_) {
    for (const auto& link : links.all) link->check(now);
  }
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
  for (Links& links : links_) {
    for (const auto& link : links.all) link->retire();
  }
  for (IdleList& list : idle_) {
    while (list.newest != nullptr) unlink(*list.newest);
  }
}

std::size_t Pool::idle_count() const {
  std::size_t count = 0;
  for (const IdleList& list : idle_) count += list.size;
  for (const Links& links : links_) {
    count +=
        static_cast<std::size_t>(std::ranges::count(links.all, 0U, [](const auto& link) { return link->leases(); }));
  }
  return count;
}

}  // namespace rproxy::upstream
