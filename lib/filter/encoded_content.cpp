#include "filter/encoded_content.h"

#include <span>
#include <utility>

namespace rproxy::filter {

using codec::Flush;
using exchange::Slice;

namespace {

// Of a content in a row; then others have their turn.
constexpr std::size_t kTurn = 128 * 1024;

}  // namespace

bool Ahead::ask() {
  if (slice_) return true;
  if (!read_.has_task()) {
    auto read = source_.read();
    if (read.is_ready()) {
      slice_.emplace(std::move(read).take());
      return true;
    }
    read_ = net::Child<Result<Slice>>(std::move(read).into_task());
  }
  return read_.is_done();
}

Result<Slice> Ahead::take() {
  if (slice_) {
    auto slice = std::move(*slice_);
    slice_.reset();
    return slice;
  }
  auto slice = read_.take();
  read_.cancel();
  return slice;
}

EncodedContent::EncodedContent(std::unique_ptr<exchange::Body> source, std::shared_ptr<Codecs> codecs,
                               codec::Encoders::Lease encoder, net::Loop& loop, metrics::CompressionCounters* counters)
    : source_(std::move(source)),
      codecs_(std::move(codecs)),
      encoder_(std::move(encoder)),
      loop_(loop),
      counters_(counters) {}

// Of what is there as much as there is room for, and no more than a turn's.
Result<void> EncodedContent::encode() {
  const std::span<char> room(out_.data() + filled_, loop_.buffers().buffer_size() - filled_);
  const bool is_all = rest_.size() <= kTurn;
  const auto progress = encoder_->encode(rest_.substr(0, kTurn), room, is_all ? flush_ : Flush::kNone);
  if (!progress) return fail(progress.error());
  taken_ += progress->consumed;
  if (counters_ != nullptr) {
    counters_->bytes_in.add(progress->consumed);
    counters_->bytes_out.add(progress->produced);
  }
  rest_.remove_prefix(progress->consumed);
  filled_ += progress->produced;
  is_coded_ = progress->done && is_all;
  return {};
}

Slice EncodedContent::hand_out(bool is_last) { return {{out_.data(), std::exchange(filled_, 0)}, is_last, {}}; }

net::ValueTask<Result<Slice>> EncodedContent::read() {
  if (!out_) {
    out_ = loop_.buffers().take();
    is_coded_ = true;  // there is nothing yet
  }
  if (auto slice = advance()) return std::move(*slice);
  return read_on();
}

net::Task<Result<Slice>> EncodedContent::read_on() {
  for (;;) {
    if (taken_ >= kTurn) {
      taken_ = 0;
      co_await net::NextTurn(loop_);
    } else {
      co_await ahead_.arrival();
    }
    if (auto slice = advance()) co_return std::move(*slice);
  }
}

// Nothing: there is something to wait for, the next turn or what comes next.
std::optional<Result<Slice>> EncodedContent::advance() {
  for (;;) {
    while (!is_coded_) {
      if (taken_ >= kTurn) return std::nullopt;
      if (auto coded = encode(); !coded) return fail(std::move(coded.error()));
      if (is_coded_ && flush_ == Flush::kEnd) return hand_out(true);
      if (filled_ == loop_.buffers().buffer_size()) return hand_out(false);
    }
    if (flush_ == Flush::kFlush) {
      flush_ = Flush::kNone;
      has_unflushed_ = false;
      if (filled_ != 0) return hand_out(false);
    }
    if (!ahead_.ask()) {
      if (!has_unflushed_) return std::nullopt;
      flush_ = Flush::kFlush;
      is_coded_ = false;
      continue;
    }
    auto slice = ahead_.take();
    if (!slice) return fail(std::move(slice.error()));
    rest_ = slice->data;
    has_unflushed_ = has_unflushed_ || !rest_.empty();
    flush_ = slice->last ? Flush::kEnd : Flush::kNone;
    is_coded_ = false;
  }
}

DecodedContent::DecodedContent(exchange::Body& source, std::unique_ptr<exchange::Body> owned,
                               std::shared_ptr<Codecs> codecs, codec::Decoders::Lease decoder, net::Loop& loop)
    : source_(source),
      owned_(std::move(owned)),
      codecs_(std::move(codecs)),
      decoder_(std::move(decoder)),
      loop_(loop) {}

net::Task<Result<Slice>> DecodedContent::read_on() {
  if (!out_) out_ = loop_.buffers().take();
  const std::span<char> room(out_.data(), loop_.buffers().buffer_size());
  for (;;) {
    if (rest_.empty() && !may_have_more_ && !is_last_) {
      auto slice = co_await source_.read();
      if (!slice) co_return fail(std::move(slice.error()));
      rest_ = slice->data;
      is_last_ = slice->last;
    }
    const auto progress = decoder_->decode(rest_, room, is_last_);
    if (!progress) co_return fail(progress.error());
    rest_.remove_prefix(progress->consumed);
    may_have_more_ = progress->produced == room.size();
    const bool is_over = is_last_ && progress->done;
    if (is_over || progress->produced != 0) co_return Slice{{room.data(), progress->produced}, is_over, {}};
  }
}

}  // namespace rproxy::filter
