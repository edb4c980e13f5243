// One thread with its own loop, listeners, pools and handlers. Nothing here is shared on the way of a request.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "downstream/http1_server.h"
#include "net/listener.h"
#include "net/loop.h"
#include "net/task_group.h"
#include "proxy/access_log.h"
#include "proxy/route_handler.h"
#include "server/generation.h"
#include "server/log_observer.h"
#include "server/proxied_client.h"
#include "upstream/pool.h"

namespace rproxy::server {

// Client connections in all workers together.
struct ConnectionCount {
  std::atomic<std::uint64_t> open{0};
  std::uint64_t max = 0;
};

// Of a loop's buffers: one holds the longest head allowed and still has room for content behind it.
std::size_t buffer_size(const config::Config& config);

class Worker {
 public:
  // `sockets[i]` listens for config.listeners[i]. `connections` and `log` outlive the worker.
  Worker(std::shared_ptr<const Generation> generation, std::vector<Fd> sockets, ConnectionCount& connections,
         proxy::AccessLogWriter* log, std::uint64_t seed);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // Starts the thread. `on_exit` is called from it at its end.
  void start(std::function<void()> on_exit);
  // From any thread: stop accepting, let requests finish, then end. Safe to call again.
  void drain();
  // From any thread: end now, whatever is under way.
  void stop();
  void join();

 private:
  // What belongs to one listener on this worker.
  struct Door {
    const config::Listener* options;
    std::unique_ptr<exchange::Handler> redirect;  // where that is all it does
    std::unique_ptr<downstream::Context> context;
    std::unique_ptr<net::TlsServerContext> tls;
    std::unique_ptr<net::Listener> listener;
  };

  void build_handlers(std::uint64_t seed);
  void open_door(std::size_t index, Fd socket);
  std::unique_ptr<exchange::Handler> make_chain(const config::Route& route, std::size_t index, std::uint64_t seed);
  void on_accept(Door& door, net::StreamPtr stream, const net::Peer& peer, const net::Peer& local);
  // First the PROXY header, for peers that send one.
  net::Task<void> serve_proxied(Door& door, net::StreamPtr stream, exchange::Client client);
  net::Task<void> serve(Door& door, net::StreamPtr stream, exchange::Client client);
  static net::Task<void> serve_plain(Door& door, net::StreamPtr stream, const exchange::Client& client);
  net::Task<void> serve_tls(Door& door, net::StreamPtr stream, exchange::Client client);
  void on_tick();
  void on_connection_end();
  void begin_drain();

  std::shared_ptr<const Generation> generation_;
  ConnectionCount& connections_;
  net::Loop loop_;
  std::optional<LogObserver> log_;
  std::vector<std::unique_ptr<upstream::Pool>> pools_;
  std::unique_ptr<proxy::RouteHandler> root_;
  std::vector<std::unique_ptr<Door>> doors_;
  ProxyHeaderComplaints complaints_;
  net::TaskGroup tasks_;
  std::thread thread_;
  bool draining_ = false;
  // Idle connections end with the second: by then every request that had arrived before the drain has been read.
  std::uint64_t draining_ticks_ = 0;
  std::uint64_t ticks_ = 0;
  std::uint64_t log_ticks_ = 1;
};

}  // namespace rproxy::server
