#include "net/socket_stream.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <new>

namespace rproxy::net {

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

template <typename T>
struct SocketStream::OperationAllocator {
  using value_type = T;
  SocketStream* stream;

  explicit OperationAllocator(SocketStream* owner) : stream(owner) {}
  template <typename U>
  OperationAllocator(const OperationAllocator<U>& other) : stream(other.stream) {}
  bool operator==(const OperationAllocator&) const = default;

  T* allocate(std::size_t count) {
    const std::size_t size = count * sizeof(T);
    if (!stream->operation_memory_used_ && size <= stream->operation_memory_.size()) {
      stream->operation_memory_used_ = true;
      return reinterpret_cast<T*>(stream->operation_memory_.data());
    }
    return static_cast<T*>(::operator new(size));
  }
  void deallocate(T* memory, std::size_t) {
    if (reinterpret_cast<std::byte*>(memory) == stream->operation_memory_.data()) {
      stream->operation_memory_used_ = false;
    } else {
      ::operator delete(memory);
    }
  }
};

struct SocketStream::ReadHandler {
  using allocator_type = OperationAllocator<std::byte>;
  SocketStream* stream;
  allocator_type get_allocator() const { return allocator_type(stream); }
  void operator()(const asio::error_code& error, std::size_t size) const { stream->on_received(error, size); }
};

struct SocketStream::ReadyHandler {
  SocketStream* stream;
  Direction direction;
  void operator()(const asio::error_code& error) const { stream->on_ready(direction, error); }
};

StreamPtr SocketStream::adopt(Loop& loop, Side side, Fd socket, int family) {
  return StreamPtr(new SocketStream(loop, side, family, socket.release()));
}

SocketStream::SocketStream(Loop& loop, Side side, int family, int descriptor)
    : Stream(loop, side), socket_(loop.executor(), asio::generic::stream_protocol(family, 0), descriptor) {}

void SocketStream::retire() {
  asio::error_code ignored;
  socket_.close(ignored);
  retired_ = true;
  if (operations_ == 0) delete this;
}

void SocketStream::operation_ended() {
  --operations_;
  if (retired_ && operations_ == 0) delete this;
}

const asio::mutable_buffer* SocketStream::late_buffer() {
  if (late_calls_ < 2) ++late_calls_;
  const auto room = receive_room();
  late_buffer_ = asio::mutable_buffer(room.data(), room.size());
  return &late_buffer_;
}

void SocketStream::start_read() {
  late_calls_ = 0;
  ++operations_;
  socket_.async_read_some(LateBuffer{this}, ReadHandler{this});
  // Asio asks once whether there is room at all. A second time means that it tried to receive, and the bytes may be in the buffer.
  if (late_calls_ < 2) drop_empty_buffer();
}

void SocketStream::on_received(const asio::error_code& error, std::size_t size) {
  if (!retired_) {
    if (!error) {
      add_received(size);
      complete_read(IoResult::success(size));
    } else if (error == asio::error::eof) {
      complete_read(IoResult::success(0));
    } else {
      complete_read(IoResult::failure(error_code_of(error.value()), error.value()));
    }
  }
  operation_ended();
}

bool SocketStream::start_write() {
  while (!pending_->empty()) {
    const auto rest = pending_->rest();
    msghdr message{};
    message.msg_iov = rest.data();
    message.msg_iovlen = rest.size();
    const ssize_t sent = ::sendmsg(socket_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent >= 0) {
      pending_->advance(static_cast<std::size_t>(sent));
      continue;
    }
    if (errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
      start_wait(Direction::kWrite);
      return false;
    }
    set_write_result(IoResult::failure(error_code_of(errno), errno));
    return true;
  }
  set_write_result(IoResult::success(pending_->total));
  return true;
}

void SocketStream::start_wait(Direction direction) {
  ++operations_;
  socket_.async_wait(direction == Direction::kWrite ? Socket::wait_write : Socket::wait_read,
                     ReadyHandler{this, direction});
}

void SocketStream::on_ready(Direction direction, const asio::error_code& error) {
  if (!retired_) {
    if (error) {
      complete_ready(direction, IoResult::failure(ErrorCode::kCancelled, error.value()));
    } else if (direction == Direction::kWrite && pending_ != nullptr) {
      continue_write();
    } else {
      complete_ready(direction, IoResult::success(1));
    }
  }
  operation_ended();
}

void SocketStream::continue_write() {
  const std::size_t before = pending_->unsent();
  if (start_write()) {
    complete_write(write_result());
  } else if (pending_->unsent() < before) {
    arm_write_deadline();
  }
}

void SocketStream::shutdown_write() {
  asio::error_code ignored;
  socket_.shutdown(Socket::shutdown_send, ignored);
}

void SocketStream::abort(bool reset) {
  asio::error_code ignored;
  if (reset) socket_.set_option(asio::socket_base::linger(true, 0), ignored);
  socket_.close(ignored);
}

int SocketStream::splice_descriptor() const {
  return input().empty() ? const_cast<Socket&>(socket_).native_handle() : -1;
}

}  // namespace rproxy::net
