#include "filter/grpc_web_content.h"

#include <algorithm>

#include "http/characters.h"

namespace rproxy::filter {

using exchange::Slice;
using http::BodyLength;

namespace {

// How much is decoded or encoded at once, whatever the slices' sizes are. Three bytes are four characters: in between is no padding.
constexpr std::size_t kTextMax = std::size_t{8} * 1024;
constexpr std::size_t kBytesMax = kTextMax / 4 * 3;

constexpr std::size_t kFrameHead = 5;
constexpr char kTrailersFlag = '\x80';

}  // namespace

Base64Content::Base64Content(exchange::Request& request)
    : request_(request),
      body_(*request.body),
      buffer_(request.arena->allocate(http::Base64Decoder::size_max(kTextMax))) {
  request.body = this;
}

net::ValueTask<Result<Slice>> Base64Content::read() {
  if (auto ready = step()) return std::move(*ready);
  for (;;) {
    auto next = body_.read();
    if (!next.is_ready()) return wait(std::move(next).into_task());
    if (auto ready = take(std::move(next).take())) return std::move(*ready);
  }
}

net::Task<Result<Slice>> Base64Content::wait(net::Task<Result<Slice>> next) {
  auto slice = co_await std::move(next);
  for (;;) {
    if (auto ready = take(std::move(slice))) co_return std::move(*ready);
    slice = co_await body_.read();
  }
}

std::optional<Result<Slice>> Base64Content::take(Result<Slice> slice) {
  if (!slice) return slice;
  text_ = slice->data;
  ended_ = slice->last;
  return step();
}

std::optional<Result<Slice>> Base64Content::step() {
  while (!text_.empty()) {
    const auto piece = text_.substr(0, kTextMax);
    text_.remove_prefix(piece.size());
    const auto size = decoder_.feed(piece, buffer_);
    if (!size) return refuse();
    if (*size > 0 && (!text_.empty() || !ended_)) return Slice{{buffer_, *size}, false};
    if (*size > 0 && decoder_.is_complete()) return Slice{{buffer_, *size}, true};
  }
  if (!ended_) return std::nullopt;
  if (!decoder_.is_complete()) return refuse();
  return Slice{{}, true};
}

Result<Slice> Base64Content::refuse() {
  malformed_ = true;
  return fail(ErrorCode::kBadRequest, Side::kClient, Retry::kNever, "the request's content is not Base64");
}

GrpcWebAnswer::GrpcWebAnswer(exchange::Request& request, exchange::Response& response,
                             std::unique_ptr<Base64Content> content, bool is_text)
    : request_(request),
      content_(std::move(content)),
      body_(std::move(response.body)),
      is_text_(is_text),
      has_status_(response.head.fields.has(http::FieldId::kGrpcStatus)) {}

BodyLength GrpcWebAnswer::length() const {
  const BodyLength length = body_->length();
  const bool is_empty =
      length.kind == BodyLength::Kind::kNone || (length.kind == BodyLength::Kind::kFixed && length.bytes == 0);
  if (has_status_ && is_empty) return length;
  return {BodyLength::Kind::kChunked, 0};
}

net::ValueTask<Result<Slice>> GrpcWebAnswer::read() {
  if (!bytes_.empty() || ended_) return Result<Slice>(next_piece());
  auto next = body_->read();
  if (!next.is_ready()) return wait(std::move(next).into_task());
  return take(std::move(next).take());
}

net::Task<Result<Slice>> GrpcWebAnswer::wait(net::Task<Result<Slice>> next) {
  auto slice = co_await std::move(next);
  co_return take(std::move(slice));
}

Result<Slice> GrpcWebAnswer::take(Result<Slice> slice) {
  if (!slice) return slice;
  bytes_ = slice->data;
  ended_ = slice->last;
  if (ended_) frame_ = make_frame();
  return next_piece();
}

Slice GrpcWebAnswer::next_piece() {
  if (bytes_.empty()) bytes_ = std::exchange(frame_, {});
  const auto piece = is_text_ ? bytes_.substr(0, kBytesMax) : bytes_;
  bytes_.remove_prefix(piece.size());
  return {is_text_ ? encode(piece) : piece, ended_ && bytes_.empty() && frame_.empty()};
}

std::string_view GrpcWebAnswer::encode(std::string_view bytes) {
  if (buffer_ == nullptr) buffer_ = request_.arena->allocate(kTextMax);
  return {buffer_, static_cast<std::size_t>(http::write_base64(buffer_, bytes) - buffer_)};
}

// Flag, length, and lines as in an HTTP/1 trailer section, names in lower case. Where there is no status at all, some scripts would take
// the call for a success.
std::string_view GrpcWebAnswer::make_frame() {
  http::Fields lost;
  const http::Fields* trailers = body_->trailers();
  if (trailers == nullptr || trailers->empty()) {
    if (has_status_) return {};
    lost.add(http::FieldId::kGrpcStatus, "13");
    lost.add(http::FieldId::kGrpcMessage, "the answer has no status");
    request_.trace.grpc_status = 13;
    trailers = &lost;
  }
  std::size_t size = 0;
  for (const auto& field : *trailers) size += field.name.size() + field.value.size() + 4;
  char* const frame = request_.arena->allocate(kFrameHead + size);
  char* out = frame;
  *out++ = kTrailersFlag;
  for (int shift = 24; shift >= 0; shift -= 8) *out++ = static_cast<char>(size >> shift);
  for (const auto& field : *trailers) {
    out = std::ranges::transform(field.name, out, http::to_lower).out;
    for (const std::string_view text : {std::string_view(": "), field.value, std::string_view("\r\n")}) {
      out = std::ranges::copy(text, out).out;
    }
  }
  return {frame, kFrameHead + size};
}

}  // namespace rproxy::filter
