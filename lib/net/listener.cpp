#include "net/listener.h"

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

constexpr Duration kWarnEvery{10'000};
// Connections accepted before other work gets its turn.
constexpr int kAcceptBatch = 32;

Error bind_error(const ListenOptions& options, int os_error) {
  return Error{ErrorCode::kCannotBind, Side::kLocal, Retry::kNever, os_error, options.address.to_string()};
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

Result<Fd> bind_socket(const ListenOptions& options, const SocketAddress& address, bool shared) {
  Fd socket(::socket(address.family(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return fail(bind_error(options, errno));
  if (address.family() != AF_UNIX) {
    set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
    if (shared) set_option(socket.get(), SOL_SOCKET, SO_REUSEPORT, 1);
    if (address.family() == AF_INET6) set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, options.v6_only ? 1 : 0);
  }
  if (::bind(socket.get(), address.data(), address.size) != 0) return fail(bind_error(options, errno));
  return socket;
}

Peer local_of(const Fd& socket) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  return ::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&storage), &size) == 0 ? peer_of(storage) : Peer{};
}

}  // namespace

Result<Fd> open_listener(const ListenOptions& options) {
  const auto address = to_socket_address(options.address);
  if (!address) return fail(bind_error(options, EINVAL));
  const bool is_unix = address->family() == AF_UNIX;
  if (is_unix) remove_stale_socket(address->storage, address->size, options.address.host);
  auto socket = bind_socket(options, *address, true);
  if (!socket) return socket;
  if (is_unix) {
    ::chmod(options.address.host.c_str(), options.unix_mode);
  } else {
    // Inherited by accepted sockets, which saves a call for each.
    set_option(socket->get(), IPPROTO_TCP, TCP_NODELAY, 1);
    if (options.defer_accept) set_option(socket->get(), IPPROTO_TCP, TCP_DEFER_ACCEPT, 1);
  }
  if (::listen(socket->get(), options.backlog) != 0) return fail(bind_error(options, errno));
  return socket;
}

Result<void> check_unused(const ListenOptions& options) {
  const auto address = to_socket_address(options.address);
  if (!address) return fail(bind_error(options, EINVAL));
  if (address->family() == AF_UNIX) return {};
  if (auto socket = bind_socket(options, *address, false); !socket) return fail(std::move(socket.error()));
  return {};
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
    if (!may_accept_()) return pause("max_connections reached");
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
    const Peer local = tells_local_ ? local_of(socket) : Peer{};
    on_accept_(SocketStream::adopt(loop_, Side::kClient, std::move(socket)), peer_of(storage), local);
    return true;
  }
  switch (errno) {
    case EINTR:
    case ECONNABORTED:
    case EPROTO:
    // A firewall's refusal, and what the network had to say of this connection (accept(2)): others may be waiting behind it.
    case EPERM:
    case ENETDOWN:
    case ENOPROTOOPT:
    case EHOSTDOWN:
    case ENONET:
    case EHOSTUNREACH:
    case EOPNOTSUPP:
    case ENETUNREACH:
      return true;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      pause(std::strerror(errno));
      return false;
    default:
      return false;
  }
}

// At the limit each connection that ends lets one in: a line for each pause would be a flood.
void Listener::pause(const char* reason) {
  paused_ = true;
  ++pauses_;
  is_told_ = pauses_ == 1 || loop_.now() - warned_ >= kWarnEvery;
  if (!is_told_) return;
  log::warn("accepting paused ({} time{} since the last word): {}", pauses_, pauses_ == 1 ? "" : "s", reason);
  pauses_ = 1;
  warned_ = loop_.now();
}

void Listener::resume() {
  if (!paused_ || stopped_ || !may_accept_()) return;
  paused_ = false;
  if (std::exchange(is_told_, false)) log::info("accepting again");
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
