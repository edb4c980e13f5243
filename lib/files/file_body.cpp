#include "files/file_body.h"

#include <algorithm>
#include <utility>

#include "base/page_cache.h"
#include "net/from_thread.h"

namespace rproxy::files {

using exchange::Slice;

namespace {

// At a time: of what is sent from the file itself, and of what is copied.
constexpr std::uint64_t kPart = 256 * 1024;
constexpr std::uint64_t kCopy = 64 * 1024;
// So little is copied and goes in one write with the head, rather than in two.
constexpr std::uint64_t kSmall = 16 * 1024;

}  // namespace

net::ValueTask<Result<Slice>> FileBody::read() {
  if (left_ == 0) return Result<Slice>(Slice{{}, true, {}});
  const bool as_file = allows_files_ && whole_ > kSmall;
  const auto size = std::min(left_, as_file ? kPart : kCopy);
  const std::uint64_t position = position_;
  position_ += size;
  left_ -= size;
  if (as_file) {
    if (is_cached(file_->descriptor(), position, size))
      return Result<Slice>(Slice{{}, left_ == 0, {file_->descriptor(), position, size}});
  } else {
    if (room_ == nullptr) room_ = std::make_unique_for_overwrite<char[]>(size);
    const auto count = read_if_cached(file_->descriptor(), position, room_.get(), size);
    if (count == static_cast<std::int64_t>(size)) return Result<Slice>(Slice{{room_.get(), size}, left_ == 0, {}});
  }
  return read_elsewhere(position, size, left_ == 0);
}

net::Task<Result<Slice>> FileBody::read_elsewhere(std::uint64_t position, std::size_t size, bool is_last) {
  net::FromThread<Result<std::string>> answer(loop_);
  const bool is_posted =
      threads_.post([file = file_, position, size, tell = answer.teller()] { tell(file->read(position, size)); });
  if (!is_posted) co_return fail(ErrorCode::kLimitReached, Side::kLocal, Retry::kNever, "too many wait for the disk");
  auto bytes = co_await answer.told();
  if (!bytes) co_return fail(std::move(bytes.error()));
  bytes_ = std::move(*bytes);
  co_return Slice{bytes_, is_last, {}};
}

}  // namespace rproxy::files
