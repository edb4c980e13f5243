#include "net/listener.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"
#include "net/socket_address.h"
#include "net/socket_stream.h"

namespace rproxy::net {
namespace {

// Connections accepted before other work gets its turn.
constexpr int kAcceptBatch = 32;

Error bind_error(const ListenOptions& options, int os_error) {
  const bool is_file = options.address.kind == HostPort::Kind::kUnix;
  return Error{is_file ? ErrorCode::kFile : ErrorCode::kAddressInUse, Side::kLocal, Retry::kNever, os_error,
               fmt::format("cannot listen on {}", options.address.to_string())};
}

void set_option(int socket, int level, int name, int value) { ::setsockopt(socket, level, name, &value, sizeof value); }

// A socket file left by a process that died is removed; one that somebody listens on is not.
void remove_stale_socket(const sockaddr_storage& address, socklen_t size, const std::string& path) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
  const Fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0 && errno == ECONNREFUSED) {
    ::unlink(path.c_str());
  }
}

}  // namespace

Result<Fd> open_listener(const ListenOptions& options) {
  const auto address = to_socket_address(options.address);
  if (!address) return fail(bind_error(options, EINVAL));
  Fd socket(::socket(address->family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail(bind_error(options, errno));
  if (address->family() == AF_UNIX) {
    remove_stale_socket(address->storage, address->size, options.address.host);
  } else {
    set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    if (address->family() == AF_INET6) set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only ? 1 : 0);
    // Inherited by accepted sockets, which saves a call for each.
    set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (options.defer_accept) set_option(socket.get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
  }
  if (::bind(socket.get(), address->data(), address->size) != 0) return fail(bind_error(options, errno));
  if (address->family() == AF_UNIX) ::chmod(options.address.host.c_str(), options.unix_mode);
  if (::listen(socket.get(), options.backlog) != 0) return fail(bind_error(options, errno));
  return socket;
}

HostPort local_address(const Fd& socket, const HostPort& asked) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (asked.kind == HostPort::Kind::kUnix) return asked;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &size) != 0) return asked;
  HostPort bound = asked;
  bound.port = peer_of(storage).port;
  return bound;
}

Listener::Listener(Loop& loop, Fd socket, std::function<bool()> may_accept, OnAccept on_accept)
    : loop_(loop), socket_(std::move(socket)), may_accept_(std::move(may_accept)), on_accept_(std::move(on_accept)) {}

Listener::~Listener() {
  loop_.poller().forget(*this);
  if (socket_) loop_.poller().remove(socket_.get());
}

void Listener::start() {
  if (!loop_.poller().add(socket_.get(), EPOLLIN, *this))
    log::error("cannot watch a listener: {}", std::strerror(errno));
}

void Listener::on_ready(std::uint32_t) {
  if (!paused_) accept_ready();
}

void Listener::accept_ready() {
  if (stopped_) return;
  for (int i = 0; i < kAcceptBatch; ++i) {
    if (!may_accept_()) {
      paused_ = true;
      return;
    }
    if (!accept_one()) return;
  }
  loop_.poller().again(*this);
}

// False when there is nothing more to accept now, or nothing to accept it with.
bool Listener::accept_one() {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  Fd socket(::accept4(socket_.get(), reinterpret_cast<sockaddr*>(&storage), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket) {
    on_accept_(SocketStream::adopt(loop_, Side::kClient, std::move(socket)), peer_of(storage));
    return true;
  }
  switch (errno) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
      return true;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      log::warn("accepting paused: {}", std::strerror(errno));
      paused_ = true;
      return false;
    default:
      return false;
  }
}

void Listener::resume() {
  if (!paused_ || stopped_ || !may_accept_()) return;
  paused_ = false;
  accept_ready();
}

void Listener::stop() {
  if (stopped_) return;
  // What the kernel has already accepted for us would be reset by closing.
  for (int i = 0; i < 1024 && accept_one(); ++i) {
  }
  stopped_ = true;
  // Another worker may hold a copy of a Unix socket: closing ours would not end the watch.
  loop_.poller().forget(*this);
  loop_.poller().remove(socket_.get());
  socket_.reset();
}

}  // namespace rproxy::net
