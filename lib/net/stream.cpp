#include "net/stream.h"

#include <cstring>

namespace rproxy::net {
namespace {

// What is left for content behind the longest head; with less it would come in crumbs, or not at all.
constexpr std::size_t kContentRoom = 2048;

}  // namespace

void Stream::Pending::assign(std::span<const iovec> source) {
  first = count = total = 0;
  file = {};
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
  return size + file.size;
}

Stream::Stream(Loop& loop, Side side)
    : loop_(loop),
      side_(side),
      read_deadline_([](void* self) { static_cast<Stream*>(self)->on_read_deadline(); }, this),
      write_deadline_([](void* self) { static_cast<Stream*>(self)->on_write_deadline(); }, this) {}

void Stream::consume(std::size_t size) { begin_ += static_cast<std::uint32_t>(size); }

void Stream::begin_message(std::size_t room) {
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (begin_ > 0 && capacity() - begin_ < room + kContentRoom) {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  floor_ = begin_;
}

void Stream::release() {
  floor_ = 0;
  if (begin_ != end_) return;
  begin_ = end_ = 0;
  // A receive that is under way takes a buffer when bytes are there.
  if (reading_) drop_empty_buffer();
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

void Stream::watch_end(Waiter on_end) {
  read_waiter_ = on_end;
  watching_ = true;
  if (reading_) return;
  if (read_result_.ready) {
    complete_read(read_result_);
  } else {
    read_ahead();
  }
}

void Stream::read_ahead() {
  if (!is_full()) {
    reading_ = true;
    start_read();
    return;
  }
  watching_ = false;
  if (const Waiter waiter = std::exchange(read_waiter_, {})) waiter();
}

void Stream::unwatch() {
  read_waiter_ = {};
  watching_ = false;
}

bool Stream::begin_fill() {
  unwatch();
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
  if (watching_ && !result.failed && result.size > 0) {
    read_result_ = {};
    return read_ahead();
  }
  watching_ = false;
  read_result_ = result;
  if (const Waiter waiter = std::exchange(read_waiter_, {})) waiter();
}

void Stream::interrupt_fill() {
  if (watching_ || !read_waiter_) return;
  read_result_ = IoResult::failure(ErrorCode::kCancelled);
  std::exchange(read_waiter_, {})();
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

// The pieces belonged to a task that is gone.
void Stream::cancel_write() {
  pending_ = nullptr;
  write_waiter_ = {};
  write_deadline_.disarm();
}

void Stream::complete_ready(Direction direction, IoResult result) {
  if (direction == Direction::kWrite) {
    if (write_waiter_) complete_write(result);
  } else if (read_waiter_) {
    complete_read(result);
  }
}

Stream::IoResult Stream::take_result(IoResult& slot) {
  const IoResult result = slot;
  // An end or a broken connection stays: whoever asks again is told again.
  const bool passes = !result.failed ? result.size != 0
                                     : result.code == ErrorCode::kReadTimeout || result.code == ErrorCode::kCancelled ||
                                           result.code == ErrorCode::kLimitReached;
  if (passes) slot = {};
  return result;
}

Result<std::size_t> Stream::take(IoResult& slot) {
  const IoResult result = take_result(slot);
  if (result.failed) return fail(Error{result.code, side_, Retry::kNever, result.os_error, {}});
  return result.size;
}

bool Stream::begin_inner_fill(Stream& inner, Waiter waiter) {
  if (inner.begin_fill()) return true;
  inner.read_waiter_ = waiter;
  return false;
}

bool Stream::begin_inner_write(Stream& inner, Pending& pending, Waiter waiter) {
  if (inner.begin_write(pending)) return true;
  inner.write_waiter_ = waiter;
  inner.arm_write_deadline();
  return false;
}

void Stream::forget_inner(Stream& inner) {
  inner.unwatch();
  inner.cancel_write();
}

void Stream::set_read_timeout(Duration timeout) {
  read_expired_ = false;
  read_deadline_.arm(loop_.wheel(), timeout);
}

void Stream::on_read_deadline() {
  read_expired_ = true;
  if (watching_ || !read_waiter_) return;
  // The receive stays under way; its result would only be late.
  read_result_ = IoResult::failure(ErrorCode::kReadTimeout);
  std::exchange(read_waiter_, {})();
}

void Stream::on_write_deadline() { complete_write(IoResult::failure(ErrorCode::kWriteTimeout)); }

}  // namespace rproxy::net
