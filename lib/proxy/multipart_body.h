// Several ranges of cached content as multipart/byteranges (RFC 9110 14.6).
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cache/entry.h"
#include "exchange/body.h"
#include "http/range.h"
#include "proxy/content_body.h"

namespace rproxy::proxy {

class MultipartBody final : public exchange::Body {
 public:
  // `ranges` lie within `size`, which the content has. `type`: of the whole, empty where that has none; it and `loop` outlive the body.
  MultipartBody(cache::EntryPtr entry, net::Loop& loop, std::vector<http::ByteRange> ranges, std::uint64_t size,
                std::string_view type);

  // "multipart/byteranges; boundary=..."
  const std::string& content_type() const { return content_type_; }

  net::ValueTask<Result<exchange::Slice>> read() override;
  http::BodyLength length() const override;

 private:
  std::string head_of(const http::ByteRange& range) const;
  net::Task<Result<exchange::Slice>> await(net::Task<Result<exchange::Slice>> next);
  // The part's end is not the content's.
  Result<exchange::Slice> within(Result<exchange::Slice> slice);

  cache::EntryPtr entry_;
  net::Loop& loop_;
  std::vector<http::ByteRange> ranges_;
  std::uint64_t size_;
  std::string_view type_;
  std::string boundary_;
  std::string content_type_;
  std::size_t next_ = 0;  // range
  std::string text_;      // between the ranges
  std::unique_ptr<ContentBody> part_;
  std::unique_ptr<ContentBody> done_;  // the one before it, until the next read
};

}  // namespace rproxy::proxy
