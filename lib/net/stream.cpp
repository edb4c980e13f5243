#include "net/stream.h"

#include <cstring>

namespace rproxy::net {

void Stream::Pending::assign(std::span<const iovec> source) {
  first = count = total = 0;
  for (const iovec& piece : source) {
    if (piece.iov_len == 0) continue;
    pieces[count++] = piece;
    total += piece.iov_len;
  }
}

void Stream::Pending::advance(std::size_t size) {
  while (size > 0) {
    iovec& piece = pieces[first];
    if (size < piece.iov_len) {
      piece.iov_base = static_cast<char*>(piece.iov_base) + size;
      piece.iov_len -= size;
      return;
    }
    size -= piece.iov_len;
    ++first;
  }
}

std::size_t Stream::Pending::unsent() const {
  std::size_t size = 0;
  for (std::size_t i = first; i < count; ++i) size += pieces[i].iov_len;
  return size;
}

Stream::Stream(Loop& loop, Side side)
    : loop_(loop),
      side_(side),
      read_deadline_(
          [](void* self) { static_cast<Stream*>(self)->on_read_deadline(); }, this),
      write_deadline_(
          [](void* self) { static_cast<Stream*>(self)->on_write_deadline(); }, this) {}

void Stream::consume(std::size_t size) {
  begin_ += static_cast<std::uint32_t>(size);
}

void Stream::begin_message(std::size_t room) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (capacity() - begin_ < room) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  floor_ = begin_;
}

void Stream::release() {
  floor_ = 0;
  if (begin_ == end_) begin_ = end_ = 0;
}

// Computed when bytes are there to be received, not when the receive begins: what is consumed meanwhile makes room.
std::span<char> Stream::receive_room() {
  if (!buffer_) buffer_ = loop_.buffers().take();
  if (begin_ == end_) begin_ = end_ = floor_;
  if (end_ == capacity() && begin_ > floor_) {
    std::memmove(buffer_.data() + floor_, buffer_.data() + begin_, end_ - begin_);
    end_ = floor_ + (end_ - begin_);
    begin_ = floor_;
  }
  return {buffer_.data() + end_, capacity() - end_};
}

void Stream::drop_empty_buffer() {
  if (begin_ != end_ || floor_ != 0) return;
  begin_ = end_ = 0;
  buffer_.reset();
}

void Stream::watch(Waiter on_ready) {
  read_waiter_ = on_ready;
  if (read_result_.ready || reading_ || is_full()) return;
  reading_ = true;
  start_read();
}

bool Stream::begin_fill() {
  read_waiter_ = {};
  if (read_result_.ready) return true;
  if (read_expired_) {
    read_result_ = IoResult::failure(ErrorCode::kReadTimeout);
    return true;
  }
  if (reading_) return false;
  if (is_full()) {
    read_result_ = IoResult::failure(ErrorCode::kLimitReached);
    return true;
  }
  reading_ = true;
  start_read();
  return read_result_.ready;
}

void Stream::complete_read(IoResult result) {
  reading_ = false;
  read_result_ = result;
  if (const Waiter waiter = std::exchange(read_waiter_, {})) waiter();
}

bool Stream::begin_write(Pending& pending) {
  write_waiter_ = {};
  pending_ = &pending;
  if (start_write()) {
    pending_ = nullptr;
    return true;
  }
  return false;
}

void Stream::complete_write(IoResult result) {
  pending_ = nullptr;
  write_deadline_.disarm();
  write_result_ = result;
  if (const Waiter waiter = std::exchange(write_waiter_, {})) waiter();
}

void Stream::complete_ready(Direction direction, IoResult result) {
  if (direction == Direction::kWrite) {
    if (write_waiter_) complete_write(result);
  } else if (read_waiter_) {
    complete_read(result);
  }
}

Result<std::size_t> Stream::take(IoResult& slot) {
  const IoResult result = slot;
  // An end or a failure stays: whoever asks again is told again.
  if (!result.failed && result.size != 0) slot = {};
  if (result.failed) return fail(Error{result.code, side_, Retry::kNever, result.os_error, {}});
  return result.size;
}

void Stream::set_read_timeout(Duration timeout) {
  read_expired_ = false;
  read_deadline_.arm(loop_.wheel(), timeout);
}

void Stream::on_read_deadline() {
  read_expired_ = true;
  // The receive stays under way; its result would only be late.
  if (const Waiter waiter = std::exchange(read_waiter_, {})) {
    read_result_ = IoResult::failure(ErrorCode::kReadTimeout);
    waiter();
  }
}

void Stream::on_write_deadline() {
  complete_write(IoResult::failure(ErrorCode::kWriteTimeout));
}

}  // namespace rproxy::net
