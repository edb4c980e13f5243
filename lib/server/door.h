// One listener on one worker, with the connections that have come by it. It stays as long as the configuration has it, and then until
// the last of them has gone.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "base/fd.h"
#include "config/config.h"
#include "downstream/http1_server.h"
#include "exchange/exchange.h"
#include "metrics/catalogue.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/task_group.h"
#include "net/tls_context.h"

namespace rproxy::server {

// What connections have in common that have come by one listener under one configuration. Requests on them go by the newest one; the
// limits and timeouts of the connections themselves, and the TLS they have agreed upon, stay what they were.
struct Entrance {
  Entrance(config::Listener listener, const downstream::Options& client,
           metrics::Catalogue::Shared<metrics::ListenerSeries> series, net::Loop& loop, exchange::Handler& handler,
           exchange::Observer* observer);

  // This worker's.
  metrics::ListenerSeries& counts() { return *context.series; }

  config::Listener listener;
  downstream::Options client;
  std::unique_ptr<net::TlsServerContext> tls;  // null: plain
  metrics::Catalogue::Shared<metrics::ListenerSeries> series;
  downstream::Context context;
  net::TaskGroup connections;
};

class Door {
 public:
  using OnAccept = std::function<void(Entrance&, net::StreamPtr, const net::Peer& peer, const net::Peer& local)>;

  // `id` tells it from others for as long as the process lives.
  Door(std::size_t id, net::Loop& loop, Fd socket, std::function<bool()> may_accept, OnAccept on_accept);

  std::size_t id() const { return id_; }
  net::Listener& listener() { return listener_; }

  // Connections come in by this one from now on.
  void open(std::unique_ptr<Entrance> entrance) { entrances_.push_back(std::move(entrance)); }
  // Requests on all its connections go by this from now on, their paths read as it takes them.
  void serve_by(const downstream::Service& service, const http::PathPolicy& paths);

  // No connection comes in any more; those that are there end with what is under way.
  void close();
  bool is_closed() const { return is_closed_; }
  std::size_t connections() const;
  // At each tick: ends idle connections where it is closed, and lets go of what nobody needs any more.
  void tick();

 private:
  std::size_t id_;
  net::Listener listener_;
  std::vector<std::unique_ptr<Entrance>> entrances_;  // the newest last
  bool is_closed_ = false;
  std::uint64_t ticks_closed_ = 0;
};

}  // namespace rproxy::server
