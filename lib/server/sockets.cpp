#include "server/sockets.h"

#include <fcntl.h>
#include <sys/resource.h>

#include <cerrno>

#include "net/listener.h"

namespace rproxy::server {

Result<OpenSockets> open_sockets(net::ListenOptions options, unsigned workers, bool port_is_ours) {
  if (!port_is_ours) {
    if (auto unused = net::check_unused(options); !unused) return fail(std::move(unused.error()));
  }
  auto first = net::open_listener(options);
  if (!first) return fail(std::move(first.error()));
  OpenSockets open;
  open.bound = net::local_address(*first, options.address);
  // The others share the port the first one got.
  options.address.port = open.bound.port;
  open.sockets.push_back(std::move(*first));
  while (open.sockets.size() < workers) {
    if (options.address.kind == HostPort::Kind::kUnix) {
      Fd copy(::fcntl(open.sockets.front().get(), F_DUPFD_CLOEXEC, 0));
      if (!copy) return fail(Error{ErrorCode::kOutOfDescriptors, Side::kLocal, Retry::kNever, errno, {}});
      open.sockets.push_back(std::move(copy));
      continue;
    }
    auto socket = net::open_listener(options);
    if (!socket) return fail(std::move(socket.error()));
    open.sockets.push_back(std::move(*socket));
  }
  return open;
}

std::uint64_t raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = limit.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) return raised.rlim_cur;
  }
  return limit.rlim_cur;
}

}  // namespace rproxy::server
