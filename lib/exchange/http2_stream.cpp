#include "exchange/http2_stream.h"

#include <utility>

namespace rproxy::exchange {
Http2Stream::Http2Stream(Http2Connection& connection, Side side, Arena& arena, const http::HeadLimits& head,
                         const Limits& limits)
    : arena_(arena),
      connection_(connection),
      side_(side),
      head_(head),
      limits_(limits),
      input_(connection.loop().buffers()),
      input_wait_(connection),
      output_wait_(connection),
      input_deadline_([](void* self) { static_cast<Http2Stream*>(self)->on_silence(); }, this),
      output_deadline_([](void* self) { static_cast<Http2Stream*>(self)->on_send_deadline(); }, this) {
  enlist();
}

Http2Stream::~Http2Stream() { detach(http2::ErrorWord::kCancel); }

void Http2Stream::enlist() {
  link_ = &connection_.streams_;
  next_ = *link_;
  if (next_ != nullptr) next_->link_ = &next_;
  *link_ = this;
}

void Http2Stream::delist() {
  if (link_ == nullptr) return;
  *link_ = next_;
  if (next_ != nullptr) next_->link_ = link_;
  link_ = nullptr;
}

void Http2Stream::detach(http2::ErrorWord word) {
  delist();
  if (id != 0) {
    connection_.session().detach(*this, word);
    connection_.schedule();
  }
  closed_ = true;
}

void Http2Stream::lose() {
  delist();
  if (id != 0) connection_.session().detach(*this, http2::ErrorWord::kCancel);
  on_close(static_cast<std::uint32_t>(http2::ErrorWord::kInternalError));
}

void Http2Stream::give_up(Error error) {
  trouble_ = std::move(error);
  given_up_ = true;
  input_wait_.end();
  output_wait_.end();
}

void Http2Stream::reset(http2::ErrorWord word) {
  if (id == 0) return;
  connection_.session().reset(*this, word);
  connection_.schedule();
}

// ---- The peer's content.

void Http2Stream::on_block(bool last) {
  if (!has_head_) {
    has_head_ = on_head(last);
    if (!has_head_) return;
    has_ended_ = last;
    if (!last) expect_block(trailer_fields_);
    return;
  }
  if (auto done = block.finish_trailers(side_); !done) trouble_ = std::move(done.error());
  on_end();
}

void Http2Stream::on_content(std::string_view bytes) {
  input_.append(bytes);
  content_received_ += bytes.size();
  input_wait_.end();
}

void Http2Stream::on_end() {
  has_ended_ = true;
  input_wait_.end();
}

void Http2Stream::on_close(std::uint32_t error) {
  id = 0;
  closed_ = true;
  close_error_ = error;
  if (has_head_ && !has_ended_) has_ended_ = is_whole(error, content_received_);
  input_wait_.end();
  output_wait_.end();
  on_closed();
}

net::ValueTask<Result<Slice>> Http2Stream::read() {
  use_up();
  if (auto ready = step()) return std::move(*ready);
  return wait();
}

void Http2Stream::use_up() {
  if (given_ == 0) return;
  input_.consume(given_);
  if (id != 0) {
    connection_.session().consumed(*this, given_);
    connection_.schedule();
  }
  given_ = 0;
}

std::optional<Result<Slice>> Http2Stream::step() {
  if (trouble_) return fail(*trouble_);
  if (input_.empty()) {
    if (has_ended_) return Slice{{}, true};
    if (closed_) return fail(closed_error());
    return std::nullopt;
  }
  const auto data = input_.front();
  const TimePoint now = connection_.loop().now();
  if (auto error = meter_.add(data.size(), limits_.bytes, limits_.min_rate, has_ended_, now, side_)) {
    return fail(std::move(*error));
  }
  given_ = data.size();
  return Slice{data, has_ended_ && given_ == input_.size()};
}

net::Task<Result<Slice>> Http2Stream::wait() {
  meter_.wait(connection_.loop().now());
  input_deadline_.arm(connection_.loop().wheel(), limits_.silence);
  // Before it waits, too: who asked may have done something else between asking and waiting.
  for (;;) {
    if (auto ready = step()) {
      input_deadline_.disarm();
      co_return std::move(*ready);
    }
    co_await input_wait_;
  }
}

void Http2Stream::on_silence() {
  // The limit may have been lifted meanwhile.
  if (limits_.silence.count() == 0) return;
  trouble_ = Error{ErrorCode::kReadTimeout, side_, Retry::kNever, 0, {}};
  input_wait_.end();
}

Error Http2Stream::closed_error() const { return Error{ErrorCode::kReset, side_, Retry::kNever, 0, {}}; }

// ---- Ours.

void Http2Stream::offer(Slice slice, const http::Fields* sent_trailers) {
  out = slice.data;
  out_is_last = slice.last;
  trailers = sent_trailers;
  has_out = true;
  if (id == 0) return;
  connection_.session().resume(*this);
  connection_.schedule();
}

net::Task<Result<void>> Http2Stream::write(Slice slice, const http::Fields* sent_trailers) {
  offer(slice, sent_trailers);
  return await_taken();
}

// The last slice is gone when the stream's end is, which trailers may carry.
net::Task<Result<void>> Http2Stream::await_taken() {
  send_expired_ = false;
  arm_send_deadline();
  const auto is_done = [this] { return out_is_last ? sent_last : !has_out; };
  while (!is_done() && !closed_ && !send_expired_ && !given_up_) co_await output_wait_;
  output_deadline_.disarm();
  if (is_done()) co_return Result<void>();
  // It does not stay in place any longer.
  out = {};
  has_out = false;
  if (given_up_) co_return fail(*trouble_);
  if (send_expired_) co_return fail(ErrorCode::kWriteTimeout, side_);
  co_return fail(closed_error());
}

net::Task<Result<void>> Http2Stream::await_sent_last() {
  out_is_last = true;
  connection_.schedule();
  return await_taken();
}

void Http2Stream::on_taken() { output_wait_.end(); }

void Http2Stream::arm_send_deadline() {
  sent_before_ = bytes_sent;
  all_sent_before_ = connection_.session().content_sent();
  output_deadline_.arm(connection_.loop().wheel(), limits_.send_timeout);
}

// Something may have been taken, though not all; or of others, whose turn it was (RFC 9218 10).
void Http2Stream::on_send_deadline() {
  const http2::Session& session = connection_.session();
  const bool has_waited = session.content_sent() != all_sent_before_ && session.has_window(*this);
  if (has_waited || bytes_sent != sent_before_) return arm_send_deadline();
  send_expired_ = true;
  output_wait_.end();
}

}  // namespace rproxy::exchange
