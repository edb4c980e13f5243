#include "proxy/content_body.h"

#include <utility>

namespace rproxy::proxy {

using exchange::Slice;

namespace {

// Complete content has nobody to tell.
class Nobody final : public cache::Content::Listener {
 public:
  void on_change() override {}
};

}  // namespace

ContentBody::ContentBody(cache::EntryPtr entry, net::Loop& loop, std::uint64_t first, std::uint64_t size)
    : entry_(std::move(entry)),
      loop_(loop),
      reader_(entry_->content(), first),
      first_(first),
      left_(size),
      whole_(size) {}

ContentBody::~ContentBody() {
  if (wakeup_) reader_.forget_listener();
}

http::BodyLength ContentBody::length() const {
  using Kind = http::BodyLength::Kind;
  if (whole_ != kToEnd) return {Kind::kFixed, whole_};
  if (const auto length = entry_->content()->length()) return {Kind::kFixed, *length - first_};
  return {Kind::kChunked, 0};
}

net::ValueTask<Result<Slice>> ContentBody::read() {
  if (entry_->content()->is_complete()) {
    Nobody nobody;
    return take(reader_.read(left_, nobody));
  }
  if (!wakeup_) wakeup_.emplace(loop_);
  const auto piece = reader_.read(left_, *wakeup_);
  if (!piece.data.empty() || piece.is_end || piece.error != nullptr) return take(piece);
  return wait();
}

net::Task<Result<Slice>> ContentBody::wait() {
  for (;;) {
    co_await wakeup_->told();
    const auto piece = reader_.read(left_, *wakeup_);
    if (!piece.data.empty() || piece.is_end || piece.error != nullptr) co_return take(piece);
  }
}

Result<Slice> ContentBody::take(const cache::Content::Reader::Piece& piece) {
  if (piece.error != nullptr) return fail(*piece.error);
  if (left_ != kToEnd) left_ -= piece.data.size();
  const bool is_last = piece.is_end || left_ == 0;
  // Less than was promised is a failure, not an end.
  if (is_last && left_ != kToEnd && left_ != 0) {
    return fail(ErrorCode::kTruncated, Side::kUpstream, Retry::kNever, "cached content is too short");
  }
  return Slice{piece.data, is_last};
}

}  // namespace rproxy::proxy
