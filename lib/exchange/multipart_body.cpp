#include "exchange/multipart_body.h"

#include <fmt/format.h>

#include <random>
#include <utility>

namespace rproxy::exchange {

namespace {

// Nobody who made the content can have known it.
std::string make_boundary() {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  return fmt::format("{:016x}{:016x}", random(), random());
}

}  // namespace

MultipartBody::MultipartBody(PartMaker make, std::vector<http::ByteRange> ranges, std::uint64_t size,
                             std::string_view type)
    : make_(std::move(make)),
      ranges_(std::move(ranges)),
      size_(size),
      type_(type),
      boundary_(make_boundary()),
      content_type_("multipart/byteranges; boundary=" + boundary_) {}

std::string MultipartBody::head_of(const http::ByteRange& range) const {
  std::string text = fmt::format("\r\n--{}\r\n", boundary_);
  if (!type_.empty()) text += fmt::format("Content-Type: {}\r\n", type_);
  return text + fmt::format("Content-Range: bytes {}-{}/{}\r\n\r\n", range.first, range.last, size_);
}

http::BodyLength MultipartBody::length() const {
  std::uint64_t total = boundary_.size() + 8;
  for (const auto& range : ranges_) total += head_of(range).size() + range.size();
  return {http::BodyLength::Kind::kFixed, total};
}

net::ValueTask<Result<Slice>> MultipartBody::read() {
  if (part_ != nullptr) {
    auto next = part_->read();
    if (next.is_ready()) return within(std::move(next).take());
    return await(std::move(next).into_task());
  }
  if (next_ == ranges_.size()) {
    text_ = fmt::format("\r\n--{}--\r\n", boundary_);
    return Result<Slice>(Slice{text_, true});
  }
  done_.reset();
  const http::ByteRange& range = ranges_[next_++];
  text_ = head_of(range);
  part_ = make_(range.first, range.size());
  return Result<Slice>(Slice{text_, false});
}

net::Task<Result<Slice>> MultipartBody::await(net::Task<Result<Slice>> next) {
  auto slice = co_await std::move(next);
  co_return within(std::move(slice));
}

Result<Slice> MultipartBody::within(Result<Slice> slice) {
  if (!slice || !slice->last) return slice;
  // The slice may be of what it has read.
  done_ = std::move(part_);
  return Slice{slice->data, false};
}

}  // namespace rproxy::exchange
