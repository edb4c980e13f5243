#include "server/door.h"

#include <algorithm>
#include <numeric>
#include <utility>

namespace rproxy::server {

Entrance::Entrance(config::Listener chosen, const downstream::Options& options,
                   metrics::Catalogue::Shared<metrics::ListenerSeries> counted, net::Loop& loop,
                   exchange::Handler& handler, exchange::Observer* observer)
    : listener(std::move(chosen)),
      client(options),
      series(std::move(counted)),
      context(client, loop, handler, observer) {
  context.series = &series->of(loop.number());
  context.speaks_http2 = listener.speaks("h2");
}

Door::Door(std::size_t id, net::Loop& loop, Fd socket, std::function<bool()> may_accept, OnAccept on_accept)
    : id_(id),
      listener_(loop, std::move(socket), std::move(may_accept),
                [this, on_accept = std::move(on_accept)](net::StreamPtr stream, const net::Peer& peer,
                                                         const net::Peer& local) {
                  on_accept(*entrances_.back(), std::move(stream), peer, local);
                }) {}

void Door::serve_by(const downstream::Service& service, const http::PathPolicy& paths) {
  for (const auto& entrance : entrances_) {
    entrance->client.paths = paths;
    entrance->context.service = service;
  }
}

void Door::close() {
  if (std::exchange(is_closed_, true)) return;
  listener_.stop();
  for (const auto& entrance : entrances_) entrance->context.draining = true;
}

std::size_t Door::connections() const {
  return std::accumulate(entrances_.begin(), entrances_.end(), std::size_t{0},
                         [](std::size_t sum, const auto& entrance) { return sum + entrance->connections.size(); });
}

void Door::tick() {
  // Idle connections end with the second: by then every request that had arrived before the end has been read.
  if (is_closed_ && ticks_closed_++ > 0) {
    for (const auto& entrance : entrances_) entrance->context.idle.drain();
  }
  const Entrance* const newest = entrances_.back().get();
  std::erase_if(entrances_, [newest](const auto& entrance) {
    return entrance.get() != newest && entrance->connections.size() == 0;
  });
}

}  // namespace rproxy::server
