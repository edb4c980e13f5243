// This worker's own listening sockets.
#pragma once

#include <cstdint>
#include <functional>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"
#include "net/loop.h"
#include "net/options.h"
#include "net/peer.h"
#include "net/stream.h"

namespace rproxy::net {

// Opens and binds one listening socket. Every worker opens its own for TCP (SO_REUSEPORT); a Unix socket is opened once and duplicated.
// Errors: kCannotBind (in use, no permission, no such address or path). context names the address.
Result<Fd> open_listener(const ListenOptions& options);

// Whether nobody else listens there, which SO_REUSEPORT would not tell: the kernel would share the connections out. Errors: kCannotBind.
Result<void> check_unused(const ListenOptions& options);

// The address really bound, "127.0.0.1:41234": what port 0 became.
HostPort local_address(const Fd& socket, const HostPort& asked);

// Accepts until stopped. A worker out of descriptors pauses and tries again at each tick, so that it neither spins nor gives up.
class Listener final : private Poller::Watcher {
 public:
  // The other end, and which of our addresses it came to; that is unset unless tell_local() was called.
  using OnAccept = std::function<void(StreamPtr, const Peer& peer, const Peer& local)>;

  // `may_accept` is asked before each accept: false leaves connections in the backlog until resume().
  Listener(Loop& loop, Fd socket, std::function<bool()> may_accept, OnAccept on_accept);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // Costs a system call for each connection.
  void tell_local(bool tells = true) { tells_local_ = tells; }
  void start();
  // Stops accepting and closes the socket. Connections still in its backlog are accepted first.
  void stop();
  // Tries again after a pause. Called each tick and when a connection has ended.
  void resume();
  bool is_paused() const { return paused_; }

 private:
  void on_ready(std::uint32_t events) override;
  void accept_ready();
  bool accept_one();
  void pause(const char* reason);

  Loop& loop_;
  Fd socket_;
  std::function<bool()> may_accept_;
  OnAccept on_accept_;
  TimePoint warned_;
  std::uint64_t pauses_ = 0;
  bool tells_local_ = false;
  bool paused_ = false;
  bool is_told_ = false;  // of this pause, in the log
  bool stopped_ = false;
};

}  // namespace rproxy::net
