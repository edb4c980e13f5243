// A header section as HPACK gives it, line by line, and what HTTP makes of it (RFC 9113 8.2, 8.3). nghttp2 has refused what is malformed
// by itself: names, their order, pseudo-headers missing or repeated, fields of one connection.
#pragma once

#include <cstddef>
#include <string_view>

#include "base/arena.h"
#include "base/result.h"
#include "http/head_parser.h"
#include "http/message.h"
#include "http/path.h"

namespace rproxy::http2 {

class HeaderBlock {
 public:
  // Lines go to `fields`, their text into `arena`; all outlive the block's use.
  void start(http::Fields& fields, Arena& arena, const http::HeadLimits& limits);

  // False: so far over the limits that the rest must not even be looked at.
  bool add(std::string_view name, std::string_view value);

  // RFC 9113 6.5.2: name, value and 32 for each line.
  std::size_t size() const { return size_; }

  // The Priority field's value (RFC 9218 5).
  std::string_view priority() const { return priority_; }

  // `head.fields` is where the lines went. `has_content`: the stream goes on. Errors as of http::RequestHeadParser.
  Result<void> finish_request(http::RequestHead& head, const http::PathPolicy& paths, bool has_content);
  // Errors: kBadResponse, kHeadTooLarge.
  Result<void> finish_response(http::ResponseHead& head, http::Method request_method, bool has_content);
  // Drops what is no trailer (RFC 9110 6.5.1). `side`: whose they are. Errors: kHeadTooLarge.
  Result<void> finish_trailers(Side side);

 private:
  void add_pseudo(std::string_view name, std::string_view value);
  void join_cookies();
  Result<void> set_target(http::RequestHead& head, const http::PathPolicy& paths);
  Result<void> set_websocket(http::RequestHead& head);
  Result<void> check_size(Side side) const;

  http::Fields* fields_ = nullptr;
  Arena* arena_ = nullptr;
  const http::HeadLimits* limits_ = nullptr;
  std::size_t size_ = 0;
  std::size_t count_ = 0;  // of fields, as they will be
  std::size_t cookies_ = 0;
  bool too_large_ = false;
  std::string_view method_;
  std::string_view authority_;
  std::string_view path_;
  std::string_view protocol_;
  std::string_view status_;
  std::string_view priority_;
};

}  // namespace rproxy::http2
