// A content coded, or decoded, as it passes.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "codec/decoders.h"
#include "codec/encoders.h"
#include "exchange/body.h"
#include "filter/codecs.h"
#include "metrics/series.h"
#include "net/buffer_pool.h"
#include "net/loop.h"
#include "net/task.h"

namespace rproxy::filter {

// Reads on from a content while there is something to be done before its next part comes.
class Ahead {
 public:
  explicit Ahead(exchange::Body& source) : source_(source) {}
  Ahead(const Ahead&) = delete;
  Ahead& operator=(const Ahead&) = delete;

  // Asks for the next slice, unless that is done already. False: it has yet to come.
  bool ask();
  auto arrival() { return read_.wait(); }
  // What has come, once.
  Result<exchange::Slice> take();

 private:
  exchange::Body& source_;
  std::optional<Result<exchange::Slice>> slice_;
  net::Child<Result<exchange::Slice>> read_;
};

// Coded content. Where the next part has yet to come, all that came before it is on its way: pages and events that are made slowly arrive
// as they are made.
class EncodedContent final : public exchange::Body {
 public:
  // `codecs` and `loop` outlive it, `counters` as well; null: nobody counts.
  EncodedContent(std::unique_ptr<exchange::Body> source, std::shared_ptr<Codecs> codecs, codec::Encoders::Lease encoder,
                 net::Loop& loop, metrics::CompressionCounters* counters);

  // What can be had without waiting is there at once, so that it leaves together with the head.
  net::ValueTask<Result<exchange::Slice>> read() override;
  http::BodyLength length() const override { return {http::BodyLength::Kind::kChunked, 0}; }
  const http::Fields* trailers() const override { return source_->trailers(); }

 private:
  net::Task<Result<exchange::Slice>> read_on();
  std::optional<Result<exchange::Slice>> advance();
  Result<void> encode();
  exchange::Slice hand_out(bool is_last);

  std::unique_ptr<exchange::Body> source_;
  std::shared_ptr<Codecs> codecs_;
  codec::Encoders::Lease encoder_;
  net::Loop& loop_;
  metrics::CompressionCounters* counters_;
  Ahead ahead_{*source_};
  net::Buffer out_;
  std::size_t filled_ = 0;
  std::string_view rest_;  // of the last slice
  codec::Flush flush_ = codec::Flush::kNone;
  bool is_coded_ = false;  // all of the last slice, by that flush
  bool has_unflushed_ = false;
  std::size_t taken_ = 0;  // of the source in this turn
};

// Decoded content.
class DecodedContent final : public exchange::Body {
 public:
  // `owned` is kept for its source, where it is that.
  DecodedContent(exchange::Body& source, std::unique_ptr<exchange::Body> owned, std::shared_ptr<Codecs> codecs,
                 codec::Decoders::Lease decoder, net::Loop& loop);

  net::ValueTask<Result<exchange::Slice>> read() override { return read_on(); }
  http::BodyLength length() const override { return {http::BodyLength::Kind::kChunked, 0}; }
  const http::Fields* trailers() const override { return source_.trailers(); }

 private:
  net::Task<Result<exchange::Slice>> read_on();

  exchange::Body& source_;
  std::unique_ptr<exchange::Body> owned_;
  std::shared_ptr<Codecs> codecs_;
  codec::Decoders::Lease decoder_;
  net::Loop& loop_;
  net::Buffer out_;
  std::string_view rest_;
  bool is_last_ = false;
  bool may_have_more_ = false;  // the last output filled its room
};

}  // namespace rproxy::filter
