#include "net/socket_stream.h"

#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

namespace rproxy::net {
namespace {

// Copying so little is cheaper than what the kernel does for each further piece.
constexpr std::size_t kSmallWriteMax = 2048;

// `more` follows at once.
ssize_t send_pieces(int socket, std::span<const iovec> pieces, bool more) {
  const int flags = MSG_NOSIGNAL | MSG_DONTWAIT | (more ? MSG_MORE : 0);
  if (pieces.size() == 1) return ::send(socket, pieces[0].iov_base, pieces[0].iov_len, flags);
  std::size_t total = 0;
  for (const iovec& piece : pieces) total += piece.iov_len;
  if (total <= kSmallWriteMax) {
    char gathered[kSmallWriteMax];
    char* out = gathered;
    for (const iovec& piece : pieces) {
      std::memcpy(out, piece.iov_base, piece.iov_len);
      out += piece.iov_len;
    }
    return ::send(socket, gathered, total, flags);
  }
  msghdr message{};
  message.msg_iov = const_cast<iovec*>(pieces.data());
  message.msg_iovlen = pieces.size();
  return ::sendmsg(socket, &message, flags);
}

// What was sent is taken off the part. 0: the file has ended before.
ssize_t send_part(int socket, FilePart& part) {
  auto offset = static_cast<off_t>(part.offset);
  const ssize_t sent = ::sendfile(socket, part.descriptor, &offset, part.size);
  if (sent <= 0) return sent;
  part.offset += static_cast<std::uint64_t>(sent);
  part.size -= static_cast<std::size_t>(sent);
  return sent;
}

// As much as one connection moves before others get their turn.
constexpr std::uint8_t kTurns = 16;

}  // namespace

ErrorCode error_code_of(int os_error) {
  switch (os_error) {
    case ECONNREFUSED:
    case ENOENT:  // a Unix socket's path
      return ErrorCode::kConnectRefused;
    case ECONNRESET:
    case EPIPE:
      return ErrorCode::kReset;
    case ENETUNREACH:
    case EHOSTUNREACH:
      return ErrorCode::kUnreachable;
    case ETIMEDOUT:
      return ErrorCode::kConnectTimeout;
    case EMFILE:
    case ENFILE:
      return ErrorCode::kOutOfDescriptors;
    case ECANCELED:
    case EBADF:
      return ErrorCode::kCancelled;
    default:
      return ErrorCode::kConnectFailed;
  }
}

StreamPtr SocketStream::adopt(Loop& loop, Side side, Fd socket) {
  return StreamPtr(new SocketStream(loop, side, std::move(socket)));
}

// Readiness as it is now comes with the first round: a receive before that would be a guess.
SocketStream::SocketStream(Loop& loop, Side side, Fd socket) : Stream(loop, side), socket_(std::move(socket)) {
  if (!loop.poller().add(socket_.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP, *this)) socket_.reset();
}

SocketStream::~SocketStream() { loop().poller().forget(*this); }

void SocketStream::retire() {
  socket_.reset();
  retired_ = true;
  if (!called_) delete this;
}

void SocketStream::on_ready(std::uint32_t events) {
  called_ = true;
  again_ = false;
  turns_left_ = kTurns;
  constexpr std::uint32_t kEnd = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
  if ((events & kEnd) != 0) ended_ = true;
  if ((events & (EPOLLIN | kEnd)) != 0) readable_ = true;
  if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0 || !socket_) serve_writer();
  if (!retired_ && (readable_ || !socket_)) serve_reader();
  called_ = false;
  if (retired_) delete this;
}

void SocketStream::serve_writer() {
  if (!waits_write_) return;
  waits_write_ = false;
  if (!socket_) return complete_ready(Direction::kWrite, IoResult::failure(ErrorCode::kCancelled, ECANCELED));
  if (pending_ == nullptr) return complete_ready(Direction::kWrite, IoResult::success(1));
  const std::size_t before = pending_->unsent();
  if (start_write()) {
    complete_write(write_result());
  } else if (pending_->unsent() < before) {
    arm_write_deadline();
  }
}

void SocketStream::serve_reader() {
  if (waits_read_) {
    waits_read_ = false;
    const bool open = static_cast<bool>(socket_);
    complete_ready(Direction::kRead, open ? IoResult::success(1) : IoResult::failure(ErrorCode::kCancelled, ECANCELED));
  } else if (receiving_) {
    receive();
  }
}

void SocketStream::start_read() {
  receiving_ = true;
  if (!readable_ && socket_) {
    drop_empty_buffer();
  } else if (turns_left_ == 0 || !socket_ || is_watching()) {
    // Whoever watches is told later, not while it is still about to wait.
    call_again();
  } else {
    --turns_left_;
    receive();
  }
}

void SocketStream::receive() {
  if (!socket_) {
    receiving_ = false;
    return complete_read(IoResult::failure(ErrorCode::kCancelled, ECANCELED));
  }
  const auto room = receive_room();
  ssize_t size = 0;
  do {
    size = ::recv(socket_.get(), room.data(), room.size(), 0);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
    readable_ = false;
    drop_empty_buffer();
    return;
  }
  receiving_ = false;
  if (size < 0) return complete_read(IoResult::failure(error_code_of(errno), errno));
  if (static_cast<std::size_t>(size) < room.size() && !ended_) readable_ = false;
  add_received(static_cast<std::size_t>(size));
  complete_read(IoResult::success(static_cast<std::size_t>(size)));
}

void SocketStream::call_again() {
  if (std::exchange(again_, true)) return;
  readable_ = true;
  loop().poller().again(*this);
}

bool SocketStream::start_write() {
  while (!pending_->empty()) {
    FilePart& file = pending_->file;
    const bool is_file = !pending_->has_pieces();
    const ssize_t sent =
        is_file ? send_part(socket_.get(), file) : send_pieces(socket_.get(), pending_->rest(), file.size > 0);
    if (sent == 0 && is_file) {
      set_write_result(IoResult::failure(ErrorCode::kTruncated));
      return true;
    }
    if (sent >= 0) {
      if (!is_file) pending_->advance(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      waits_write_ = true;
      return false;
    }
    set_write_result(IoResult::failure(error_code_of(errno), errno));
    return true;
  }
  set_write_result(IoResult::success(pending_->total));
  return true;
}

void SocketStream::start_wait(Direction direction) {
  (direction == Direction::kWrite ? waits_write_ : waits_read_) = true;
  if (!socket_ || (direction == Direction::kRead && readable_)) call_again();
}

void SocketStream::shutdown_write() { ::shutdown(socket_.get(), SHUT_WR); }

void SocketStream::abort(bool reset) {
  if (!socket_) return;
  const linger at_once{1, 0};
  if (reset) ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  socket_.reset();
  // Not from within: whoever waits may be the caller's own caller.
  if (receiving_ || waits_read_ || waits_write_) call_again();
}

}  // namespace rproxy::net
