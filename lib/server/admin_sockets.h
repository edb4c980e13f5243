// The admin endpoint's listening sockets, opened before anything is served.
#pragma once

#include <sys/stat.h>

#include <optional>
#include <string>

#include "base/address.h"
#include "base/fd.h"
#include "base/result.h"
#include "config/admin.h"

namespace rproxy::server {

struct AdminSockets {
  // Errors: kCannotBind.
  static Result<AdminSockets> open(const config::Admin& admin);

  Fd unix_socket;  // either may be none
  Fd tcp;
  std::optional<HostPort> bound;  // TCP's, with the real port
};

// Gives the socket's path back at its end, unless another process has put its own there meanwhile.
class SocketPath {
 public:
  explicit SocketPath(std::string path);
  SocketPath(const SocketPath&) = delete;
  SocketPath& operator=(const SocketPath&) = delete;
  ~SocketPath();

 private:
  std::string path_;
  struct stat made_ {};
};

}  // namespace rproxy::server
