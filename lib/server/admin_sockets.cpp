#include "server/admin_sockets.h"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/log.h"
#include "net/listener.h"
#include "server/socket_holder.h"

namespace rproxy::server {
namespace {

// Requests are small, and few.
constexpr int kBacklog = 64;
constexpr unsigned kOwnerOnly = 0600;

Error cannot_bind(int error, const std::string& path) {
  return Error(ErrorCode::kCannotBind, Side::kLocal, Retry::kNever, error, "unix:" + path);
}

Result<void> open_unix(const std::string& path, AdminSockets& sockets) {
  struct stat there {};
  if (::lstat(path.c_str(), &there) == 0 && !S_ISSOCK(there.st_mode))
    return fail(cannot_bind(0, path + " is there, and is no socket: remove it, or name another admin.socket"));
  if (auto free = check_nobody_serves(path); !free) return free;
  net::ListenOptions options;
  options.address.kind = HostPort::Kind::kUnix;
  options.address.host = SocketPath::made_at(path);
  options.backlog = kBacklog;
  options.unix_mode = kOwnerOnly;
  auto socket = net::open_listener(options);
  // Called as it is configured.
  if (!socket) return fail(cannot_bind(socket.error().os_error, path));
  sockets.unix_socket = std::move(*socket);
  sockets.path = std::make_unique<SocketPath>(path);
  return {};
}

Result<void> open_tcp(const HostPort& address, AdminSockets& sockets) {
  net::ListenOptions options;
  options.address = address;
  options.backlog = kBacklog;
  options.defer_accept = false;
  if (auto unused = net::check_unused(options); !unused) return fail(std::move(unused.error()));
  auto socket = net::open_listener(options);
  if (!socket) return fail(std::move(socket.error()));
  sockets.bound = net::local_address(*socket, address);
  sockets.tcp = std::move(*socket);
  return {};
}

}  // namespace

SocketPath::SocketPath(std::string path) : path_(std::move(path)), is_at_(made_at(path_)) {
  if (::stat(is_at_.c_str(), &made_) != 0) is_at_.clear();
}

void SocketPath::publish() {
  if (std::rename(is_at_.c_str(), path_.c_str()) == 0) {
    is_at_ = path_;
  } else {
    log::error("the admin socket stays at {}: {}", is_at_, std::strerror(errno));
  }
}

SocketPath::~SocketPath() {
  struct stat now {};
  if (is_at_.empty() || ::stat(is_at_.c_str(), &now) != 0) return;
  if (now.st_ino == made_.st_ino && now.st_dev == made_.st_dev) ::unlink(is_at_.c_str());
}

Result<AdminSockets> AdminSockets::open(const config::Admin& admin) {
  AdminSockets sockets;
  if (admin.listen) {
    if (auto done = open_tcp(*admin.listen, sockets); !done) return fail(std::move(done.error()));
  }
  if (!admin.socket.empty()) {
    if (auto done = open_unix(admin.socket, sockets); !done) return fail(std::move(done.error()));
  }
  return sockets;
}

}  // namespace rproxy::server
