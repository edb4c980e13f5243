#include "sim/wire.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace rproxy::sim {

void Wire::send(std::string_view bytes) {
  if (to_proxy_.end != End::kOpen) return;
  if (closed_) return break_off();
  to_proxy_.bytes += bytes;
}

void Wire::finish() {
  if (to_proxy_.end == End::kOpen) to_proxy_.end = End::kFin;
}

void Wire::reset() {
  if (world_.one_in(2)) to_proxy_.bytes.clear();
  to_proxy_.end = End::kReset;
  to_peer_.bytes.clear();
  told_end_ = true;
}

void Wire::act(unsigned) {
  Flow& flow = to_peer_;
  if (flow.bytes.empty()) {
    told_end_ = true;
    return peer_.on_end(flow.end);
  }
  const std::string part = flow.bytes.substr(0, world_.part_of(flow.bytes.size()));
  flow.bytes.erase(0, part.size());
  peer_.on_bytes(part);
}

// A reset overtakes what the peer has not read, or not.
void Wire::break_off() {
  if (!world_.one_in(2)) to_peer_.bytes.clear();
  to_peer_.end = End::kReset;
}

void Wire::close(bool reset) {
  closed_ = true;
  if (reset || !to_proxy_.bytes.empty()) return break_off();
  if (to_peer_.end == End::kOpen) to_peer_.end = End::kFin;
}

void Wire::fail(Fault fault, bool reading) {
  switch (fault) {
    case Fault::kNone:
      return;
    case Fault::kReset:
      to_proxy_.bytes.clear();
      to_proxy_.end = End::kReset;
      return break_off();
    case Fault::kEnd:
      to_proxy_.bytes.clear();
      if (to_proxy_.end == End::kOpen) to_proxy_.end = End::kFin;
      return;
    case Fault::kStall:
      (reading ? to_proxy_ : to_peer_).stalled = true;
      return;
  }
}

net::StreamPtr SimulatedStream::open(World& world, Side side, std::shared_ptr<Wire> wire) {
  return net::StreamPtr(new SimulatedStream(world, side, std::move(wire)));
}

SimulatedStream::SimulatedStream(World& world, Side side, std::shared_ptr<Wire> wire)
    : Stream(world.loop(), side), world_(world), wire_(std::move(wire)) {
  world_.add(*this);
  ++world_.streams;
}

SimulatedStream::~SimulatedStream() {
  world_.remove(*this);
  --world_.streams;
}

void SimulatedStream::retire() {
  abort(false);
  retired_ = true;
  if (!acting_) delete this;
}

void SimulatedStream::shutdown_write() {
  if (!wire_->closed_ && wire_->to_peer_.end == End::kOpen) wire_->to_peer_.end = End::kFin;
}

void SimulatedStream::abort(bool reset) {
  if (!wire_->closed_) wire_->close(reset);
}

bool SimulatedStream::has_peer_ended() const {
  return wire_->closed_ || (wire_->to_proxy_.end != End::kOpen && !wire_->to_proxy_.stalled);
}

unsigned SimulatedStream::ready() const {
  const bool reads = receiving_ && (wire_->closed_ || wire_->to_proxy_.has_news());
  const bool has_room = !wire_->to_peer_.stalled && wire_->to_peer_.bytes.size() < world_.window();
  const bool writes = waits_write_ && (wire_->closed_ || is_broken() || has_room);
  return (reads ? 1U : 0U) | (writes ? 2U : 0U);
}

void SimulatedStream::act(unsigned bit) {
  acting_ = true;
  if (bit == 0) {
    receive();
  } else {
    serve_writer();
  }
  acting_ = false;
  if (retired_) delete this;
}

// An answer that has begun can't be had anew; a kept connection that nobody uses is no loss.
Fault SimulatedStream::next_operation(bool reading) {
  const bool harmless = side() == Side::kUpstream && (!reading || !wire_->given_ || is_watching());
  return world_.next_operation(harmless ? World::Harmless::kBroken : World::Harmless::kNo);
}

void SimulatedStream::start_read() {
  receiving_ = true;
  if (wire_->closed_) return;
  if (!wire_->to_proxy_.has_news()) wire_->fail(next_operation(true), true);
  // Whoever watches is told later, not while it is still about to wait.
  if (wire_->to_proxy_.has_news() && !is_watching() && !world_.one_in(2)) {
    receive();
  } else {
    drop_empty_buffer();
  }
}

void SimulatedStream::receive() {
  Wire::Flow& flow = wire_->to_proxy_;
  if (!wire_->closed_) {
    wire_->fail(next_operation(true), true);
    if (!flow.has_news()) return;
  }
  receiving_ = false;
  if (wire_->closed_) return complete_read(IoResult::failure(ErrorCode::kCancelled, ECANCELED));
  const auto room = receive_room();
  if (room.empty()) ADD_FAILURE() << "a receive without room would look like an end";
  if (flow.bytes.empty()) {
    return complete_read(flow.end == End::kFin ? IoResult::success(0)
                                               : IoResult::failure(ErrorCode::kReset, ECONNRESET));
  }
  const std::size_t size = std::min(room.size(), world_.part_of(flow.bytes.size()));
  std::memcpy(room.data(), flow.bytes.data(), size);
  flow.bytes.erase(0, size);
  wire_->given_ = true;
  add_received(size);
  complete_read(IoResult::success(size));
}

bool SimulatedStream::start_write() {
  Wire::Flow& flow = wire_->to_peer_;
  if (!wire_->closed_) wire_->fail(next_operation(false), false);
  if (wire_->closed_ || is_broken() || flow.end != End::kOpen) {
    const bool cancelled = wire_->closed_;
    set_write_result(cancelled ? IoResult::failure(ErrorCode::kCancelled, EBADF)
                               : IoResult::failure(ErrorCode::kReset, EPIPE));
    return true;
  }
  const bool has_room = !flow.stalled && flow.bytes.size() < world_.window();
  if (has_room && !world_.one_in(4)) {
    std::size_t left = std::min(world_.part_of(pending_->unsent()), world_.window() - flow.bytes.size());
    while (left > 0) {
      const iovec& piece = pending_->rest().front();
      const std::size_t size = std::min(left, piece.iov_len);
      flow.bytes.append(static_cast<const char*>(piece.iov_base), size);
      pending_->advance(size);
      left -= size;
    }
    wire_->given_ = false;
  }
  waits_write_ = !pending_->empty();
  if (!waits_write_) set_write_result(IoResult::success(pending_->total));
  return !waits_write_;
}

void SimulatedStream::serve_writer() {
  waits_write_ = false;
  // Its task has gone.
  if (pending_ == nullptr) return;
  const std::size_t before = pending_->unsent();
  if (start_write()) {
    complete_write(write_result());
  } else if (pending_->unsent() < before) {
    arm_write_deadline();
  }
}

}  // namespace rproxy::sim
