// Several ranges of content that can be had in parts, as multipart/byteranges (RFC 9110 14.6).
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "exchange/body.h"
#include "http/range.h"

namespace rproxy::exchange {

// Makes a body of so many bytes, of which there is one at least, from `first` on.
using PartMaker = std::function<std::unique_ptr<Body>(std::uint64_t first, std::uint64_t size)>;

class MultipartBody final : public Body {
 public:
  // `ranges` lie within `size`, which the content has. `type`: of the whole, empty where that has none; it outlives the body.
  MultipartBody(PartMaker make, std::vector<http::ByteRange> ranges, std::uint64_t size, std::string_view type);

  // "multipart/byteranges; boundary=..."
  const std::string& content_type() const { return content_type_; }

  net::ValueTask<Result<Slice>> read() override;
  http::BodyLength length() const override;

 private:
  std::string head_of(const http::ByteRange& range) const;
  net::Task<Result<Slice>> await(net::Task<Result<Slice>> next);
  // The part's end is not the content's.
  Result<Slice> within(Result<Slice> slice);

  PartMaker make_;
  std::vector<http::ByteRange> ranges_;
  std::uint64_t size_;
  std::string_view type_;
  std::string boundary_;
  std::string content_type_;
  std::size_t next_ = 0;  // range
  std::string text_;      // between the ranges
  std::unique_ptr<Body> part_;
  std::unique_ptr<Body> done_;  // the one before it, until the next read
};

}  // namespace rproxy::exchange
