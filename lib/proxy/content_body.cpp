#include "proxy/content_body.h"

#include <algorithm>
#include <utility>

#include "base/page_cache.h"
#include "cache/coded_forms.h"
#include "net/from_thread.h"
#include "proxy/form_body.h"

namespace rproxy::proxy {

using exchange::Slice;

namespace {

// Of a file at a time: a block of its checksums as it is, or what a connection holds a copy of.
constexpr std::uint64_t kFilePart = 256 * 1024;
constexpr std::uint64_t kFileCopy = 64 * 1024;

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

ContentBody::ContentBody(cache::EntryPtr entry, std::shared_ptr<cache::Content> content, net::Loop& loop)
    : entry_(std::move(entry)), loop_(loop), reader_(std::move(content), 0), first_(0), left_(kToEnd), whole_(kToEnd) {}

ContentBody::ContentBody(cache::EntryPtr entry, net::Loop& loop, storage::Cache& keeper)
    : ContentBody(std::move(entry), loop, 0, kToEnd) {
  keeper_ = &keeper;
}

ContentBody::~ContentBody() {
  if (wakeup_) reader_.forget_listener();
  if (reader_.end() && keeper_ != nullptr) keeper_->settle(*entry_);
}

// What is in a file has no forms, as they would be in memory; nor what passes through, or may turn out too long for memory.
std::unique_ptr<exchange::Body> ContentBody::in_coding(const codec::EncoderOptions& options,
                                                       const std::shared_ptr<codec::Tally>& memory) {
  const auto& content = entry_->content();
  if (keeper_ == nullptr || content->leans_on_file() || !content->length()) return nullptr;
  auto form = content->forms().find(content, options, memory);
  if (form == nullptr) return nullptr;
  if (!form->content()->is_complete()) return std::make_unique<FormBody>(entry_, std::move(form), loop_, *keeper_);
  keeper_->note_use(entry_, *form);
  auto coded = form->content();
  content->forms().leave(std::move(form));
  return std::make_unique<ContentBody>(entry_, std::move(coded), loop_);
}

http::BodyLength ContentBody::length() const {
  using Kind = http::BodyLength::Kind;
  if (whole_ != kToEnd) return {Kind::kFixed, whole_};
  if (const auto length = reader_.content()->length()) return {Kind::kFixed, *length - first_};
  return {Kind::kChunked, 0};
}

net::ValueTask<Result<Slice>> ContentBody::read() {
  if (reader_.content()->is_complete()) {
    Nobody nobody;
    const auto piece = reader_.read(left_, nobody);
    return piece.in_file > 0 ? take_from_file(piece) : take(piece);
  }
  if (!wakeup_) wakeup_.emplace(loop_);
  const auto piece = reader_.read(left_, *wakeup_);
  if (piece.in_file > 0) return take_from_file(piece);
  if (!piece.data.empty() || piece.is_end || piece.error != nullptr) return take(piece);
  return wait();
}

net::Task<Result<Slice>> ContentBody::wait() {
  for (;;) {
    co_await wakeup_->told();
    const auto piece = reader_.read(left_, *wakeup_);
    if (piece.in_file > 0) co_return co_await take_from_file(piece);
    if (!piece.data.empty() || piece.is_end || piece.error != nullptr) co_return take(piece);
  }
}

bool ContentBody::is_last(std::uint64_t end) const {
  const cache::Content& content = *reader_.content();
  return left_ == 0 || (content.is_complete() && end >= content.size());
}

net::ValueTask<Result<Slice>> ContentBody::take_from_file(const Piece& piece) {
  const std::uint64_t most = allows_files_ ? kFilePart - piece.position % kFilePart : kFileCopy;
  const std::uint64_t size = std::min(piece.in_file, most);
  reader_.took(size);
  if (left_ != kToEnd) left_ -= size;
  const bool last = is_last(piece.position + size);
  auto file = reader_.content()->file();
  if (file->is_verified(piece.position, size)) {
    if (allows_files_ && is_cached(file->descriptor(), file->offset() + piece.position, size)) {
      return Result<Slice>(Slice{{}, last, {file->descriptor(), file->offset() + piece.position, size}});
    }
    if (!allows_files_) {
      bytes_.resize(size);
      const auto count = read_if_cached(file->descriptor(), file->offset() + piece.position, bytes_.data(), size);
      if (count == static_cast<std::int64_t>(size)) return Result<Slice>(Slice{bytes_, last, {}});
    }
  }
  return read_elsewhere(std::move(file), piece.position, size);
}

net::Task<Result<Slice>> ContentBody::read_elsewhere(std::shared_ptr<cache::FileContent> file, std::uint64_t position,
                                                     std::size_t size) {
  net::FromThread<Result<std::string>> answer(loop_);
  file->read(position, size, answer.teller());
  auto bytes = co_await answer.told();
  if (!bytes) co_return fail(std::move(bytes.error()));
  bytes_ = std::move(*bytes);
  co_return Slice{bytes_, is_last(position + size), {}};
}

Result<Slice> ContentBody::take(const cache::Content::Reader::Piece& piece) {
  if (piece.error != nullptr) return fail(*piece.error);
  if (left_ != kToEnd) left_ -= piece.data.size();
  const bool is_last = piece.is_end || left_ == 0;
  // Less than was promised is a failure, not an end.
  if (is_last && left_ != kToEnd && left_ != 0) {
    return fail(ErrorCode::kTruncated, Side::kUpstream, Retry::kNever, "cached content is too short");
  }
  if (allows_files_ && piece.descriptor >= 0)
    return Slice{{}, is_last, {piece.descriptor, piece.offset, piece.data.size()}};
  return Slice{piece.data, is_last, {}};
}

}  // namespace rproxy::proxy
