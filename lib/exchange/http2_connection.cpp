#include "exchange/http2_connection.h"

#include <utility>

#include "exchange/http2_stream.h"

namespace rproxy::exchange {
namespace {

// How long a peer may take to hang up after the farewell, so that a reset does not take that away.
constexpr Duration kLinger{2'000};

}  // namespace

void Http2Wait::end() {
  if (!handle_ || link_ != nullptr) return;
  link_ = connection_.last_ended_;
  *link_ = this;
  next_ = nullptr;
  connection_.last_ended_ = &next_;
  connection_.schedule();
}

void Http2Wait::unlink() {
  if (link_ == nullptr) return;
  *link_ = next_;
  (next_ != nullptr ? next_->link_ : connection_.last_ended_) = link_;
  link_ = nullptr;
}

Http2Connection::Http2Connection(net::StreamPtr stream, http2::Session::Role role, const http2::Options& options,
                                 const http::HeadLimits& head, http2::Session::Acceptor* acceptor)
    : stream_(std::move(stream)), session_(role, options, head, acceptor) {
  schedule();
}

Http2Connection::~Http2Connection() { loop().poller().forget(*this); }

void Http2Connection::schedule() {
  if (std::exchange(scheduled_, true)) return;
  loop().poller().at_end(*this);
}

void Http2Connection::on_ready(std::uint32_t) {
  scheduled_ = false;
  resume_ended();
  on_round();
  if (!writer_.has_task() || writer_.is_done()) writer_ = net::Child<void>(write_out());
}

bool Http2Connection::resume_ended() {
  if (ended_ == nullptr) return false;
  while (ended_ != nullptr) {
    Http2Wait& wait = *ended_;
    wait.unlink();
    wait.handle_.resume();
  }
  return true;
}

// Who had its slice taken may have the next at once, which then leaves in the same write.
void Http2Connection::fill(http2::Session::Output& out) {
  do {
    session_.drain(out);
  } while (out.room() >= http2::Session::kRoomMin && resume_ended());
}

net::Task<void> Http2Connection::write_out() {
  while (session_.wants_to_send() && !closing_) {
    auto buffer = loop().buffers().take();
    http2::Session::Output out{buffer.data(), loop().buffers().buffer_size()};
    fill(out);
    if (out.size == 0) break;
    auto sent = co_await stream_->write(std::string_view(out.data, out.size));
    if (!sent) {
      stream_->abort(true);
      co_return;
    }
  }
  if (!session_.is_over() || std::exchange(closing_, true)) co_return;
  stream_->shutdown_write();
  stream_->set_read_timeout(kLinger);
}

net::Task<Result<void>> Http2Connection::run() {
  Result<void> ended;
  for (;;) {
    if (const auto input = stream_->input(); !input.empty()) {
      last_received_ = loop().now();
      if (!closing_) session_.feed(input, last_received_);
      stream_->consume(input.size());
      stream_->release();
      schedule();
    }
    auto filled = co_await stream_->fill();
    if (!filled) ended = fail(std::move(filled.error()));
    if (!filled || *filled == 0) break;
  }
  close_streams();
  co_return ended;
}

void Http2Connection::abort() { stream_->abort(true); }

void Http2Connection::close_streams() {
  while (streams_ != nullptr) streams_->lose();
}

}  // namespace rproxy::exchange
