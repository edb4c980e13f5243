#include "server/admin_endpoint.h"

#include <utility>

#include "base/log.h"

namespace rproxy::server {
namespace {

// Names in a path may hold slashes, which come escaped and are to stay apart from those that part it.
downstream::Options make_options() {
  downstream::Options options;
  options.paths = {http::PathPolicy::Slashes::kKeep, http::PathPolicy::EncodedSlash::kKeep};
  return options;
}

}  // namespace

AdminEndpoint::AdminEndpoint(net::Loop& loop, AdminSockets sockets, const config::Admin& admin, admin::Subject subject,
                             std::string effective)
    : loop_(loop),
      path_(std::move(sockets.path)),
      subject_(std::move(subject)),
      effective_(std::move(effective)),
      options_(make_options()),
      local_(options_, loop, api_, nullptr) {
  local_.speaks_http2 = false;
  connections_.on_end({[](void* self) {
                         auto& endpoint = *static_cast<AdminEndpoint*>(self);
                         if (endpoint.unix_listener_) endpoint.unix_listener_->resume();
                         if (endpoint.tcp_listener_) endpoint.tcp_listener_->resume();
                       },
                       this});
  if (sockets.unix_socket) {
    unix_listener_ = listen(std::move(sockets.unix_socket), local_);
    path_->publish();
    log::info("admin endpoint on unix:{}", path_->name());
  }
  if (!sockets.tcp) return;
  gate_.emplace(admin.token, api_);
  remote_ = std::make_unique<downstream::Context>(options_, loop, *gate_, nullptr);
  remote_->speaks_http2 = false;
  tcp_listener_ = listen(std::move(sockets.tcp), *remote_);
  log::info("admin endpoint on {}", sockets.bound->to_string());
}

AdminEndpoint::~AdminEndpoint() {
  connections_.cancel_all();
  unix_listener_.reset();
  tcp_listener_.reset();
}

std::unique_ptr<net::Listener> AdminEndpoint::listen(Fd socket, downstream::Context& context) {
  auto listener = std::make_unique<net::Listener>(
      loop_, std::move(socket), [this] { return connections_.size() < kConnectionsMax; },
      [this, &context](net::StreamPtr stream, const net::Peer& peer, const net::Peer& /*local*/) {
        exchange::Client client;
        client.peer = peer;
        connections_.spawn(downstream::serve_http1(std::move(stream), client, context));
      });
  listener->start();
  return listener;
}

void AdminEndpoint::adopt(const std::shared_ptr<const Generation>& generation) {
  admin::Serving next;
  next.config = std::shared_ptr<const config::Config>(generation, &generation->config());
  next.upstreams = generation->upstreams();
  next.catalogue = generation->catalogue();
  next.effective = effective_;
  if (gate_ && !next.config->admin.token.empty()) gate_->set_token(next.config->admin.token);
  next.revision = generation_ == nullptr ? 1 : subject_.serving.revision + 1;
  next.since = std::chrono::system_clock::now();
  generation_ = generation;
  subject_.serving = std::move(next);
}

void AdminEndpoint::drain() {
  if (tcp_listener_) tcp_listener_->stop();
}

}  // namespace rproxy::server
