// The content of gRPC-Web messages on its way to what gRPC has, and back.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <utility>

#include "exchange/exchange.h"
#include "http/base64.h"

namespace rproxy::filter {

// A request's content without its Base64, in the place of that content as long as this lives. Its buffer, of a fixed size, is the arena's.
class Base64Content final : public exchange::Body {
 public:
  // `request`, which has content, outlives it.
  explicit Base64Content(exchange::Request& request);
  ~Base64Content() override { request_.body = &body_; }

  net::ValueTask<Result<exchange::Slice>> read() override;
  http::BodyLength length() const override { return {http::BodyLength::Kind::kChunked, 0}; }
  const http::Fields* trailers() const override { return body_.trailers(); }

  // read() failed for that the content is not Base64.
  bool is_malformed() const { return malformed_; }

 private:
  net::Task<Result<exchange::Slice>> wait(net::Task<Result<exchange::Slice>> next);
  // What becomes of a slice read; nothing where more is needed.
  std::optional<Result<exchange::Slice>> take(Result<exchange::Slice> slice);
  std::optional<Result<exchange::Slice>> step();
  Result<exchange::Slice> refuse();

  exchange::Request& request_;
  exchange::Body& body_;
  http::Base64Decoder decoder_;
  char* buffer_;
  std::string_view text_;  // read, not decoded yet
  bool ended_ = false;
  bool malformed_ = false;
};

// An answer's content with the trailers as its last frame. In the text form each slice of the upstream's is padded by itself, because
// nobody knows when the next one comes.
class GrpcWebAnswer final : public exchange::Body {
 public:
  // `response` is whose body this is going to be. `content`, the request's, may be null; the upstream reads it while it answers, too.
  GrpcWebAnswer(exchange::Request& request, exchange::Response& response, std::unique_ptr<Base64Content> content,
                bool is_text);

  net::ValueTask<Result<exchange::Slice>> read() override;
  http::BodyLength length() const override;

 private:
  net::Task<Result<exchange::Slice>> wait(net::Task<Result<exchange::Slice>> next);
  Result<exchange::Slice> take(Result<exchange::Slice> slice);
  exchange::Slice next_piece();
  std::string_view encode(std::string_view bytes);
  std::string_view make_frame();

  exchange::Request& request_;
  std::unique_ptr<Base64Content> content_;
  std::unique_ptr<exchange::Body> body_;  // destroyed before what it reads
  bool is_text_;
  bool has_status_;  // in the head: there need be no trailers
  bool ended_ = false;
  char* buffer_ = nullptr;
  std::string_view bytes_;  // read, not passed on yet
  std::string_view frame_;
};

}  // namespace rproxy::filter
