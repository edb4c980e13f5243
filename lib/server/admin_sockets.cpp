#include "server/admin_sockets.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "net/listener.h"

namespace rproxy::server {
namespace {

// Requests are small, and few.
constexpr int kBacklog = 64;
constexpr unsigned kOwnerOnly = 0600;

// A successor takes the path over while we drain: it is there at every moment, and leads to the one or to the other.
Result<Fd> open_unix(const std::string& path) {
  net::ListenOptions options;
  options.address.kind = HostPort::Kind::kUnix;
  options.address.host = path + ".new";
  options.backlog = kBacklog;
  options.unix_mode = kOwnerOnly;
  auto socket = net::open_listener(options);
  if (!socket) return socket;
  if (std::rename(options.address.host.c_str(), path.c_str()) != 0) {
    const int error = errno;
    ::unlink(options.address.host.c_str());
    return fail(Error{ErrorCode::kCannotBind, Side::kLocal, Retry::kNever, error, "unix:" + path});
  }
  return socket;
}

}  // namespace

Result<AdminSockets> AdminSockets::open(const config::Admin& admin) {
  AdminSockets sockets;
  if (admin.listen) {
    net::ListenOptions options;
    options.address = *admin.listen;
    options.backlog = kBacklog;
    options.defer_accept = false;
    if (auto unused = net::check_unused(options); !unused) return fail(std::move(unused.error()));
    auto tcp = net::open_listener(options);
    if (!tcp) return fail(std::move(tcp.error()));
    sockets.tcp = std::move(*tcp);
    sockets.bound = net::local_address(sockets.tcp, *admin.listen);
  }
  if (!admin.socket.empty()) {
    auto socket = open_unix(admin.socket);
    if (!socket) return fail(std::move(socket.error()));
    sockets.unix_socket = std::move(*socket);
  }
  return sockets;
}

SocketPath::SocketPath(std::string path) : path_(std::move(path)) {
  if (path_.empty() || ::stat(path_.c_str(), &made_) != 0) path_.clear();
}

SocketPath::~SocketPath() {
  struct stat now {};
  if (path_.empty() || ::stat(path_.c_str(), &now) != 0) return;
  if (now.st_ino == made_.st_ino && now.st_dev == made_.st_dev) ::unlink(path_.c_str());
}

}  // namespace rproxy::server
