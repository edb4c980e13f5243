#include "net/connect.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "net/socket_stream.h"

namespace rproxy::net {
namespace {

tl::unexpected<Error> connect_error(int os_error) {
  const ErrorCode code = error_code_of(os_error);
  const bool ours = code == ErrorCode::kOutOfDescriptors || os_error == EADDRNOTAVAIL;
  return fail(Error{code, ours ? Side::kLocal : Side::kUpstream, Retry::kSafe, os_error, {}});
}

}  // namespace

Task<Result<StreamPtr>> connect(Loop& loop, SocketAddress address, Duration timeout) {
  Fd socket(::socket(address.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket) co_return connect_error(errno);
  if (address.family() != AF_UNIX) {
    const int on = 1;
    ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  }
  const int descriptor = socket.get();
  const bool at_once = ::connect(descriptor, address.data(), address.size) == 0;
  // A Unix socket whose backlog is full says EAGAIN and never tells when there is room: that is a refusal.
  if (!at_once && errno != EINPROGRESS) co_return connect_error(errno == EAGAIN ? ECONNREFUSED : errno);
  StreamPtr stream = SocketStream::adopt(loop, Side::kUpstream, std::move(socket));
  if (at_once) co_return stream;
  stream->set_write_timeout(timeout);
  const auto ready = co_await stream->wait_ready(Stream::Direction::kWrite);
  if (!ready) {
    const bool late = ready.error().code == ErrorCode::kWriteTimeout;
    co_return fail(late ? ErrorCode::kConnectTimeout : ready.error().code, Side::kUpstream, Retry::kSafe);
  }
  int os_error = 0;
  socklen_t size = sizeof os_error;
  ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &os_error, &size);
  if (os_error != 0) co_return connect_error(os_error);
  co_return stream;
}

}  // namespace rproxy::net
