// One thread with its own loop, listeners, pools and handlers. Nothing here is shared on the way of a request.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/fd.h"
#include "net/loop.h"
#include "proxy/access_log.h"
#include "server/door.h"
#include "server/generation.h"
#include "server/handlers.h"
#include "server/log_observer.h"
#include "server/proxied_client.h"
#include "server/recorder.h"

namespace rproxy::server {

// Client connections in all workers together.
struct ConnectionCount {
  std::atomic<std::uint64_t> open{0};
  std::atomic<std::uint64_t> max{0};
};

class Worker {
 public:
  // What a worker serves: the first configuration, or the next one. All that can fail has been done.
  struct Offer {
    struct Listener {
      std::size_t door = 0;  // the number of one that is there, or a new one's
      Fd socket;             // a new one's
      std::unique_ptr<net::TlsServerContext> tls;
    };
    std::shared_ptr<const Generation> generation;
    std::vector<Listener> listeners;              // as the configuration's
    std::shared_ptr<proxy::AccessLogWriter> log;  // null: none
    std::uint64_t seed = 0;
    std::size_t worker = 0;  // its number
  };

  // `connections` outlives the worker.
  Worker(Offer offer, ConnectionCount& connections);
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker();

  // Starts the thread. `on_exit` is called from it at its end.
  void start(std::function<void()> on_exit);
  // From any thread, after start(): `on_taken` is called from the worker's when requests go by the offer. Connections stay, and requests
  // under way end as they have begun; listeners that are not in the offer stop, and their connections end with what they are at.
  void take(Offer offer, std::function<void()> on_taken);
  // From any thread: stop accepting, let requests finish, then end. Safe to call again.
  void drain();
  // From any thread: end now, whatever is under way.
  void stop();
  void join();

 private:
  void adopt(Offer offer);
  void set_log(std::shared_ptr<proxy::AccessLogWriter> log);
  Door& door_of(Offer::Listener& listener);
  Door& add_door(Offer::Listener& listener);
  void on_accept(Entrance& entrance, net::StreamPtr stream, const net::Peer& peer, const net::Peer& local);
  // First the PROXY header, for peers that send one.
  net::Task<void> serve_proxied(Entrance& entrance, net::StreamPtr stream, exchange::Client client);
  net::Task<void> serve(Entrance& entrance, net::StreamPtr stream, exchange::Client client);
  static net::Task<void> serve_plain(Entrance& entrance, net::StreamPtr stream, const exchange::Client& client);
  net::Task<void> serve_tls(Entrance& entrance, net::StreamPtr stream, exchange::Client client);
  void on_tick();
  void on_connection_end();
  void begin_drain();
  bool has_connections() const;
  void let_go();

  ConnectionCount& connections_;
  net::Loop loop_;
  std::shared_ptr<proxy::AccessLogWriter> log_writer_;
  std::unique_ptr<LogObserver> log_;
  Recorder recorder_;
  std::vector<std::unique_ptr<Handlers>> retired_;  // their last requests are under way
  std::unique_ptr<Handlers> handlers_;
  std::vector<std::unique_ptr<Door>> doors_;
  Complaints proxy_header_complaints_{"no PROXY header"};
  Complaints certificate_complaints_{"certificate not taken"};
  std::thread thread_;
  bool running_ = false;
  bool draining_ = false;
  std::uint64_t ticks_ = 0;
  std::uint64_t log_ticks_ = 1;
};

}  // namespace rproxy::server
