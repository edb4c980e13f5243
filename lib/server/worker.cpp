#include "server/worker.h"

#include <algorithm>
#include <utility>
#include <variant>

#include "base/log.h"
#include "downstream/http2_server.h"
#include "filter/grpc_web.h"
#include "net/read_proxy_header.h"
#include "net/tls_stream.h"
#include "proxy/fixed_answers.h"

namespace rproxy::server {
namespace {

constexpr std::string_view kPlainOnTls =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 52\r\n"
    "Connection: close\r\n\r\nThis port speaks HTTPS: use https:// to come here.\r\n";
// How long such a client may take to hang up, so that the answer is not lost with a reset.
constexpr Duration kLinger{2'000};

constexpr std::uint64_t kTicksPerSecond = 1000 / net::DeadlineWheel::kTick.count();

}  // namespace

std::size_t buffer_size(const config::Config& config) {
  constexpr std::uint64_t kContentRoom = 4096;
  std::uint64_t head = config.client.head.head.bytes;
  for (const auto& upstream : config.upstreams) head = std::max(head, upstream.head.head.bytes);
  head = std::max(head, config.client.max_proxy_header.bytes);
  return static_cast<std::size_t>(head + kContentRoom);
}

Worker::Worker(std::shared_ptr<const Generation> generation, std::vector<Fd> sockets, ConnectionCount& connections,
               proxy::AccessLogWriter* log, std::uint64_t seed)
    : generation_(std::move(generation)), connections_(connections), loop_(buffer_size(generation_->config())) {
  if (log != nullptr) {
    log_.emplace(*log);
    log_ticks_ =
        static_cast<std::uint64_t>(std::max<std::int64_t>(log->options().flush / net::DeadlineWheel::kTick, 1));
  }
  build_handlers(seed);
  for (std::size_t i = 0; i < sockets.size(); ++i) open_door(i, std::move(sockets[i]));
  loop_.on_tick([](void* self) { static_cast<Worker*>(self)->on_tick(); }, this);
  tasks_.on_end({[](void* self) { static_cast<Worker*>(self)->on_connection_end(); }, this});
}

Worker::~Worker() {
  tasks_.cancel_all();
  doors_.clear();
  // Mirrored requests use connections.
  root_.reset();
  pools_.clear();
}

void Worker::build_handlers(std::uint64_t seed) {
  for (const auto& upstream : generation_->upstreams()) {
    const auto& tls = upstream->options().tls;
    upstream::Reach reach{upstream, nullptr, net::connect};
    if (tls.enabled) reach.tls = generation_->tls().client_context(*upstream);
    pools_.push_back(std::make_unique<upstream::Pool>(loop_, std::move(reach), seed + pools_.size()));
  }
  const auto& routes = generation_->config().routes;
  std::vector<proxy::RouteHandler::Route> chains;
  chains.reserve(routes.size());
  for (std::size_t i = 0; i < routes.size(); ++i)
    chains.push_back({routes[i].rule.name, make_chain(routes[i], i, seed)});
  root_ = std::make_unique<proxy::RouteHandler>(generation_->router(), generation_->config().forwarding,
                                                std::move(chains), generation_->config().client.paths);
}

std::unique_ptr<exchange::Handler> Worker::make_chain(const config::Route& route, std::size_t index,
                                                      std::uint64_t seed) {
  if (const auto* redirect = std::get_if<proxy::RedirectAction>(&route.action)) {
    return std::make_unique<proxy::Redirect>(redirect->status,
                                             proxy::LocationTemplate::compile(redirect->location).value());
  }
  if (const auto* respond = std::get_if<proxy::RespondAction>(&route.action)) {
    return std::make_unique<proxy::Respond>(*respond);
  }
  const auto& plan = *generation_->plans()[index];
  const auto pool_of = [this](const std::string& name) { return pools_[generation_->upstream_index(name)].get(); };
  std::vector<upstream::Pool*> targets;
  for (const auto& name : plan.action.targets()) targets.push_back(pool_of(name));
  upstream::Pool* const shadow = plan.action.mirror ? pool_of(plan.action.mirror->upstream) : nullptr;
  auto chain = std::make_unique<proxy::Proxy>(plan, generation_->config().forwarding, targets, shadow, seed + index);
  if (plan.action.grpc_web) return std::make_unique<filter::GrpcWeb>(std::move(chain));
  return chain;
}

void Worker::open_door(std::size_t index, Fd socket) {
  auto door = std::make_unique<Door>();
  door->options = &generation_->config().listeners[index];
  exchange::Handler* handler = root_.get();
  if (door->options->redirect_https) {
    door->redirect = std::make_unique<proxy::RedirectToHttps>(door->options->redirect_port, *root_);
    handler = door->redirect.get();
  }
  door->context =
      std::make_unique<downstream::Context>(generation_->config().client, loop_, *handler, log_ ? &*log_ : nullptr);
  door->context->speaks_http2 = door->options->speaks("h2");
  if (door->options->tls) door->tls = generation_->tls().server_context(index);
  door->listener = std::make_unique<net::Listener>(
      loop_, std::move(socket), [this] { return connections_.open.load(std::memory_order_relaxed) < connections_.max; },
      [this, at = door.get()](net::StreamPtr stream, const net::Peer& peer, const net::Peer& local) {
        on_accept(*at, std::move(stream), peer, local);
      });
  const auto tells_endpoints = [](const upstream::Options& each) {
    return each.proxy_protocol != upstream::ProxyProtocol::kOff;
  };
  if (std::ranges::any_of(generation_->config().upstreams, tells_endpoints)) door->listener->tell_local();
  doors_.push_back(std::move(door));
}

void Worker::on_accept(Door& door, net::StreamPtr stream, const net::Peer& peer, const net::Peer& local) {
  connections_.open.fetch_add(1, std::memory_order_relaxed);
  exchange::Client client;
  client.peer = peer;
  client.local = local;
  const bool is_proxied = door.options->proxy_protocol.contains(peer);
  tasks_.spawn(is_proxied ? serve_proxied(door, std::move(stream), client) : serve(door, std::move(stream), client));
}

net::Task<void> Worker::serve_proxied(Door& door, net::StreamPtr stream, exchange::Client client) {
  const downstream::Options& options = generation_->config().client;
  net::ReceivedProxyHeader received;
  const auto done =
      co_await net::read_proxy_header(*stream, options.max_proxy_header.bytes, options.handshake_timeout, received);
  if (!done) {
    complaints_.add(client.peer, done.error(), loop_.now());
    co_return;
  }
  client.proxy_header = &received.header;
  believe_proxy_header(client);
  co_await serve(door, std::move(stream), client);
}

net::Task<void> Worker::serve(Door& door, net::StreamPtr stream, exchange::Client client) {
  if (door.tls == nullptr) return serve_plain(door, std::move(stream), client);
  return serve_tls(door, std::move(stream), client);
}

// Where nothing was agreed upon.
net::Task<void> Worker::serve_plain(Door& door, net::StreamPtr stream, const exchange::Client& client) {
  if (!door.options->speaks("http/1.1")) return downstream::serve_http2(std::move(stream), client, *door.context);
  return downstream::serve_http1(std::move(stream), client, *door.context);
}

net::Task<void> Worker::serve_tls(Door& door, net::StreamPtr stream, exchange::Client client) {
  auto secured = net::TlsStream::accept(std::move(stream), *door.tls);
  if (auto done = co_await secured->handshake(generation_->config().client.handshake_timeout); !done) {
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
  client.scheme = "https";
  client.tls_version = secured->version();
  client.tls_cipher = secured->cipher();
  client.server_name = secured->server_name();
  believe_proxy_header(client);
  if (secured->alpn() == "h2") {
    co_await downstream::serve_http2(std::move(secured), client, *door.context);
  } else {
    co_await serve_plain(door, std::move(secured), client);
  }
}

void Worker::on_connection_end() {
  connections_.open.fetch_sub(1, std::memory_order_relaxed);
  if (draining_) {
    if (tasks_.size() == 0) loop_.stop();
    return;
  }
  for (auto& door : doors_) {
    if (door->listener->is_paused()) door->listener->resume();
  }
}

void Worker::on_tick() {
  ++ticks_;
  if (log_ && ticks_ % log_ticks_ == 0) log_->flush();
  if (draining_ && draining_ticks_++ > 0) {
    for (auto& door : doors_) door->context->idle.drain();
  }
  if (ticks_ % kTicksPerSecond != 0) return;
  const TimePoint now = loop_.now();
  for (auto& pool : pools_) pool->sweep(now);
  if (draining_) return;
  for (auto& door : doors_) door->listener->resume();
}

void Worker::start(std::function<void()> on_exit) {
  thread_ = std::thread([this, on_exit = std::move(on_exit)] {
    for (auto& door : doors_) door->listener->start();
    loop_.run();
    if (log_) log_->flush();
    on_exit();
  });
}

void Worker::drain() {
  loop_.post([this] { begin_drain(); });
}

void Worker::begin_drain() {
  if (draining_) return;
  for (auto& door : doors_) {
    door->listener->stop();
    door->context->draining = true;
  }
  draining_ = true;
  for (auto& pool : pools_) pool->close_idle();
  if (tasks_.size() == 0) loop_.stop();
}

void Worker::stop() {
  loop_.post([this] { loop_.stop(); });
}

void Worker::join() {
  if (thread_.joinable()) thread_.join();
}

}  // namespace rproxy::server
