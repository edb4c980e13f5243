#include "server/admin_endpoint.h"

#include <utility>

#include "base/log.h"
#include "downstream/http1_server.h"
#include "net/listener.h"
#include "net/task_group.h"

namespace rproxy::server {
namespace {

// Names in a path may hold slashes, which come escaped and are to stay apart from those that part it.
downstream::Options make_options() {
  downstream::Options options;
  options.paths = {http::PathPolicy::Slashes::kKeep, http::PathPolicy::EncodedSlash::kKeep};
  return options;
}

}  // namespace

struct AdminEndpoint::Entry {
  Entry(net::Loop& loop, Fd socket, const downstream::Options& options, exchange::Handler& handler)
      : context(options, loop, handler, nullptr),
        listener(
            loop, std::move(socket), [this] { return connections.size() < kConnectionsMax; },
            [this](net::StreamPtr stream, const net::Peer& peer, const net::Peer& /*local*/) {
              exchange::Client client;
              client.peer = peer;
              connections.spawn(downstream::serve_http1(std::move(stream), client, context));
            }) {
    context.speaks_http2 = false;
    connections.on_end({[](void* self) { static_cast<Entry*>(self)->listener.resume(); }, this});
    listener.start();
  }
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  // Their ends call for the listener.
  ~Entry() { connections.cancel_all(); }

  downstream::Context context;
  net::TaskGroup connections;
  net::Listener listener;
};

AdminEndpoint::AdminEndpoint(net::Loop& loop, AdminSockets sockets, const config::Admin& admin, admin::Subject subject,
                             std::string effective)
    : loop_(loop),
      path_(std::move(sockets.path)),
      subject_(std::move(subject)),
      effective_(std::move(effective)),
      options_(make_options()) {
  if (sockets.unix_socket) {
    local_ = std::make_unique<Entry>(loop_, std::move(sockets.unix_socket), options_, api_);
    path_->publish();
    log::info("admin endpoint on unix:{}", path_->name());
  }
  if (!sockets.tcp) return;
  gate_.emplace(admin.token, api_);
  remote_ = std::make_unique<Entry>(loop_, std::move(sockets.tcp), options_, *gate_);
  log::info("admin endpoint on {}", sockets.bound->to_string());
}

AdminEndpoint::~AdminEndpoint() = default;

void AdminEndpoint::adopt(const std::shared_ptr<const Generation>& generation) {
  admin::Serving next;
  next.config = std::shared_ptr<const config::Config>(generation, &generation->config());
  next.upstreams = generation->upstreams();
  next.catalogue = generation->catalogue();
  next.cache = generation->cache();
  next.effective = effective_;
  if (gate_ && !next.config->admin.token.empty()) gate_->set_token(next.config->admin.token);
  next.revision = generation_ == nullptr ? 1 : subject_.serving.revision + 1;
  next.since = std::chrono::system_clock::now();
  generation_ = generation;
  subject_.serving = std::move(next);
}

void AdminEndpoint::drain() {
  if (remote_) remote_->listener.stop();
}

}  // namespace rproxy::server
