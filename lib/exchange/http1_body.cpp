#include "exchange/http1_body.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace rproxy::exchange {
Http1Content::Http1Content(net::Stream& stream, http::BodyLength length, Arena& arena, const Limits& limits)
    : stream_(stream), limits_(limits), length_(length), remaining_(length.bytes), arena_(arena) {
  complete_ = length.kind == http::BodyLength::Kind::kNone ||
              (length.kind == http::BodyLength::Kind::kFixed && length.bytes == 0);
  if (length.kind == http::BodyLength::Kind::kChunked) chunks_.emplace(*limits.chunks, arena_);
}

const http::Fields* Http1Content::trailers() const {
  return complete_ && chunks_ && !chunks_->trailers().empty() ? &chunks_->trailers() : nullptr;
}

net::ValueTask<Result<Slice>> Http1Content::read() {
  stream_.consume(std::exchange(given_, 0));
  if (complete_) return Result<Slice>(Slice{{}, true});
  if (auto ready = step()) return std::move(*ready);
  return wait();
}

net::Task<Result<Slice>> Http1Content::wait() {
  meter_.wait(stream_.loop().now());
  for (;;) {
    stream_.set_read_timeout(limits_.silence);
    auto filled = co_await stream_.fill();
    if (!filled) co_return fail(with_side(std::move(filled.error())));
    if (*filled == 0 && stream_.input().empty()) {
      if (length_.kind == http::BodyLength::Kind::kUntilClose) {
        complete_ = true;
        co_return Slice{{}, true};
      }
      co_return fail(ErrorCode::kTruncated, stream_.side());
    }
    if (auto ready = step()) co_return std::move(*ready);
    if (*filled == 0) co_return fail(ErrorCode::kTruncated, stream_.side());
  }
}

std::optional<Result<Slice>> Http1Content::step() { return chunks_ ? step_chunked() : step_fixed(); }

std::optional<Result<Slice>> Http1Content::step_fixed() {
  const auto input = stream_.input();
  if (input.empty()) return std::nullopt;
  std::size_t size = input.size();
  if (length_.kind == http::BodyLength::Kind::kFixed) {
    size = static_cast<std::size_t>(std::min<std::uint64_t>(size, remaining_));
    remaining_ -= size;
    complete_ = remaining_ == 0;
  }
  if (auto error = check_limits(size)) return fail(std::move(*error));
  given_ = size;
  return Slice{input.substr(0, size), complete_};
}

// Chunks that have arrived together become one slice, pushed together over their size lines where they lie: a peer that sends many small
// ones must not cost a write for each.
std::optional<Result<Slice>> Http1Content::step_chunked() {
  const auto input = stream_.input();
  std::size_t used = 0;
  char* content = nullptr;
  std::size_t size = 0;
  while (used < input.size() && !complete_) {
    auto stepped = chunks_->feed(input.substr(used));
    if (!stepped) return fail(with_side(std::move(stepped.error())));
    used += stepped->consumed;
    complete_ = stepped->done;
    const auto piece = stepped->content;
    if (content == nullptr) {
      content = const_cast<char*>(piece.data());
    } else if (!piece.empty()) {
      std::memmove(content + size, piece.data(), piece.size());
    }
    size += piece.size();
  }
  if (size == 0) {
    stream_.consume(used);
    if (complete_) return Slice{{}, true};
    return std::nullopt;
  }
  if (auto error = check_limits(size)) return fail(std::move(*error));
  given_ = used;
  return Slice{{content, size}, complete_};
}

std::optional<Error> Http1Content::check_limits(std::size_t size) {
  return meter_.add(size, limits_.bytes, limits_.min_rate, complete_, stream_.loop().now(), stream_.side());
}

Error Http1Content::with_side(Error error) const {
  error.side = stream_.side();
  if (error.code == ErrorCode::kCancelled) error.code = limits_.cancelled;
  return error;
}

}  // namespace rproxy::exchange
