// The admin endpoint's listening sockets, opened before anything is served.
#pragma once

#include <sys/stat.h>

#include <memory>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"
#include "config/admin.h"

namespace rproxy::server {

// A Unix socket's path. It is made beside where it will be and moved there when the process serves, so that it leads at every moment to
// one that does: a successor takes it over from a predecessor that drains, and who fails to start takes nothing. From one that serves
// nobody takes it.
class SocketPath {
 public:
  // The socket is at made_at(), bound by now.
  explicit SocketPath(std::string path);
  SocketPath(const SocketPath&) = delete;
  SocketPath& operator=(const SocketPath&) = delete;
  // Gone with it, unless another process has put its own there meanwhile.
  ~SocketPath();

  static std::string made_at(const std::string& path) { return path + ".new"; }
  const std::string& name() const { return path_; }
  void publish();

 private:
  std::string path_;
  std::string is_at_;
  struct stat made_ {};
};

struct AdminSockets {
  // Errors: kCannotBind, also where another process serves at the path.
  static Result<AdminSockets> open(const config::Admin& admin);

  Fd unix_socket;  // either may be none
  std::unique_ptr<SocketPath> path;
  Fd tcp;
  std::optional<HostPort> bound;  // TCP's, with the real port
};

}  // namespace rproxy::server
