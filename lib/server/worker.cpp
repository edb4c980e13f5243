#include "server/worker.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/log.h"
#include "downstream/http2_server.h"
#include "net/read_proxy_header.h"
#include "net/tls_stream.h"
#include "server/buffer_size.h"

namespace rproxy::server {
namespace {

constexpr std::string_view kPlainOnTls =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 52\r\n"
    "Connection: close\r\n\r\nThis port speaks HTTPS: use https:// to come here.\r\n";
// How long such a client may take to hang up, so that the answer is not lost with a reset.
constexpr Duration kLinger{2'000};

constexpr std::uint64_t kTicksPerSecond = 1000 / net::DeadlineWheel::kTick.count();

}  // namespace

Worker::Worker(Offer offer, ConnectionCount& connections)
    : connections_(connections),
      loop_(buffer_size(offer.generation->config()), offer.worker),
      recorder_(*offer.generation->catalogue(), offer.worker, nullptr) {
  adopt(std::move(offer));
  loop_.on_tick([](void* self) { static_cast<Worker*>(self)->on_tick(); }, this);
}

Worker::~Worker() {
  doors_.clear();
  handlers_.reset();
  retired_.clear();
}

void Worker::adopt(Offer offer) {
  const config::Config& config = offer.generation->config();
  set_log(std::move(offer.log));
  auto previous = std::move(handlers_);
  handlers_ = std::make_unique<Handlers>(loop_, offer.generation, offer.seed, previous.get());
  const downstream::Use use(handlers_->users());
  const bool tells_local = std::ranges::any_of(config.upstreams, [](const upstream::Options& each) {
    return each.proxy_protocol != upstream::ProxyProtocol::kOff;
  });
  std::vector<const Door*> open;
  for (std::size_t i = 0; i < offer.listeners.size(); ++i) {
    exchange::Handler& handler = handlers_->at(i);
    const auto& series = offer.generation->catalogue()->listeners()[i].series;
    auto entrance = std::make_unique<Entrance>(config.listeners[i], config.client, series, loop_, handler, &recorder_);
    entrance->tls = std::move(offer.listeners[i].tls);
    entrance->connections.on_end({[](void* self) { static_cast<Worker*>(self)->on_connection_end(); }, this});
    Door& door = door_of(offer.listeners[i]);
    door.open(std::move(entrance));
    door.serve_by({&handler, use}, config.client.paths);
    door.listener().tell_local(tells_local);
    open.push_back(&door);
  }
  for (const auto& door : doors_) {
    if (std::ranges::find(open, door.get()) == open.end()) door->close();
  }
  if (previous == nullptr) return;
  previous->retire();
  retired_.push_back(std::move(previous));
}

// What ends from now on is told to the new one: the old one's lines are complete.
void Worker::set_log(std::shared_ptr<proxy::AccessLogWriter> log) {
  if (log == log_writer_) return;
  auto observer = log != nullptr ? std::make_unique<LogObserver>(*log) : nullptr;
  recorder_.hand_on_to(observer.get());
  if (log != nullptr) {
    log_ticks_ =
        static_cast<std::uint64_t>(std::max<std::int64_t>(log->options().flush / net::DeadlineWheel::kTick, 1));
  }
  log_ = std::move(observer);
  log_writer_ = std::move(log);
}

Door& Worker::door_of(Offer::Listener& listener) {
  const auto found = std::ranges::find(doors_, listener.door, &Door::id);
  return found != doors_.end() ? **found : add_door(listener);
}

Door& Worker::add_door(Offer::Listener& listener) {
  doors_.push_back(std::make_unique<Door>(
      listener.door, loop_, std::move(listener.socket),
      [this] { return connections_.open.load(std::memory_order_relaxed) < connections_.max; },
      [this](Entrance& entrance, net::StreamPtr stream, const net::Peer& peer, const net::Peer& local) {
        on_accept(entrance, std::move(stream), peer, local);
      }));
  if (running_) doors_.back()->listener().start();
  return *doors_.back();
}

void Worker::on_accept(Entrance& entrance, net::StreamPtr stream, const net::Peer& peer, const net::Peer& local) {
  connections_.open.fetch_add(1, std::memory_order_relaxed);
  entrance.counts().accepted.add();
  exchange::Client client;
  client.peer = peer;
  client.local = local;
  const bool is_proxied = entrance.listener.proxy_protocol.contains(peer);
  entrance.connections.spawn(is_proxied ? serve_proxied(entrance, std::move(stream), client)
                                        : serve(entrance, std::move(stream), client));
}

net::Task<void> Worker::serve_proxied(Entrance& entrance, net::StreamPtr stream, exchange::Client client) {
  const downstream::Options& options = entrance.client;
  net::ReceivedProxyHeader received;
  const auto done =
      co_await net::read_proxy_header(*stream, options.max_proxy_header.bytes, options.handshake_timeout, received);
  if (!done) {
    entrance.counts().proxy_header_failures.add();
    proxy_header_complaints_.add(client.peer, done.error(), loop_.now());
    co_return;
  }
  client.proxy_header = &received.header;
  believe_proxy_header(client);
  co_await serve(entrance, std::move(stream), client);
}

net::Task<void> Worker::serve(Entrance& entrance, net::StreamPtr stream, exchange::Client client) {
  if (entrance.tls == nullptr) return serve_plain(entrance, std::move(stream), client);
  return serve_tls(entrance, std::move(stream), client);
}

// Where nothing was agreed upon.
net::Task<void> Worker::serve_plain(Entrance& entrance, net::StreamPtr stream, const exchange::Client& client) {
  if (!entrance.listener.speaks("http/1.1"))
    return downstream::serve_http2(std::move(stream), client, entrance.context);
  return downstream::serve_http1(std::move(stream), client, entrance.context);
}

net::Task<void> Worker::serve_tls(Entrance& entrance, net::StreamPtr stream, exchange::Client client) {
  auto secured = net::TlsStream::accept(std::move(stream), *entrance.tls);
  if (auto done = co_await secured->handshake(entrance.client.handshake_timeout); !done) {
    entrance.counts().tls_failures.add();
    if (done.error().code == ErrorCode::kTlsVerify) certificate_complaints_.add(client.peer, done.error(), loop_.now());
    log::debug("TLS handshake with {}: {}", client.peer.ip.to_string(), describe(done.error()));
    if (done.error().code != ErrorCode::kBadRequest) co_return;
    // Someone typed http:// in front of the port: an alert would tell them nothing.
    auto plain = secured->release_inner();
    (void)co_await plain->write(kPlainOnTls);
    plain->shutdown_write();
    plain->set_read_timeout(kLinger);
    for (;;) {
      plain->consume(plain->input().size());
      auto filled = co_await plain->fill();
      if (!filled || *filled == 0) break;
    }
    co_return;
  }
  entrance.counts().tls_handshakes.add();
  client.scheme = "https";
  client.tls_version = secured->version();
  client.tls_cipher = secured->cipher();
  client.server_name = secured->server_name();
  std::optional<exchange::ClientCertificate> certificate;
  if (auto shown = secured->peer_certificate()) client.certificate = &certificate.emplace(std::move(*shown));
  believe_proxy_header(client);
  if (secured->is_validation()) co_return;  // RFC 8737 4: the handshake is all that was wanted
  if (secured->alpn() == "h2") {
    co_await downstream::serve_http2(std::move(secured), client, entrance.context);
  } else {
    co_await serve_plain(entrance, std::move(secured), client);
  }
}

void Worker::on_connection_end() {
  connections_.open.fetch_sub(1, std::memory_order_relaxed);
  if (draining_) {
    if (!has_connections()) loop_.stop();
    return;
  }
  for (auto& door : doors_) {
    if (door->listener().is_paused()) door->listener().resume();
  }
}

bool Worker::has_connections() const {
  return std::ranges::any_of(doors_, [](const auto& door) { return door->connections() > 0; });
}

void Worker::on_tick() {
  ++ticks_;
  if (log_ && ticks_ % log_ticks_ == 0) log_->flush();
  for (auto& door : doors_) door->tick();
  let_go();
  if (ticks_ % kTicksPerSecond != 0) return;
  const TimePoint now = loop_.now();
  handlers_->sweep(now);
  for (auto& handlers : retired_) handlers->sweep(now);
  if (draining_) return;
  for (auto& door : doors_) door->listener().resume();
}

// At a tick, when nothing of what goes is at work.
void Worker::let_go() {
  std::erase_if(doors_, [](const auto& door) { return door->is_closed() && door->connections() == 0; });
  std::erase_if(retired_, [](const auto& handlers) { return handlers->users().count() == 0; });
}

void Worker::start(std::function<void()> on_exit) {
  thread_ = std::thread([this, on_exit = std::move(on_exit)] {
    for (auto& door : doors_) door->listener().start();
    running_ = true;
    loop_.run();
    if (log_) log_->flush();
    on_exit();
  });
}

void Worker::take(Offer offer, std::function<void()> on_taken) {
  loop_.post([this, offer = std::move(offer), on_taken = std::move(on_taken)]() mutable {
    if (!draining_) adopt(std::move(offer));
    on_taken();
  });
}

void Worker::drain() {
  loop_.post([this] { begin_drain(); });
}

void Worker::begin_drain() {
  if (draining_) return;
  for (auto& door : doors_) door->close();
  draining_ = true;
  handlers_->close_idle();
  if (!has_connections()) loop_.stop();
}

void Worker::stop() {
  loop_.post([this] { loop_.stop(); });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace rproxy::server
