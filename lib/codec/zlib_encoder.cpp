#include "codec/zlib_encoder.h"

#include <algorithm>
#include <cstring>

#include "codec/padding.h"
#include "codec/refused.h"

namespace rproxy::codec {
namespace {

constexpr std::size_t kPieceMax = std::size_t{1} << 30U;  // zlib counts in 32 bits

int zlib_flush(Flush flush) {
  if (flush == Flush::kNone) return Z_NO_FLUSH;
  return flush == Flush::kFlush ? Z_SYNC_FLUSH : Z_FINISH;
}

}  // namespace

ZlibEncoder::ZlibEncoder(Account& account) {
  stream_.opaque = &account;
  stream_.zalloc = Account::allocate_items;
  stream_.zfree = Account::release;
}

ZlibEncoder::~ZlibEncoder() {
  if (is_made()) deflateEnd(&stream_);
}

Result<void> ZlibEncoder::make(const Sizing& sizing, bool is_gzip) {
  if (is_made()) deflateEnd(&stream_);
  const int window_bits = sizing.window_log + (is_gzip ? 16 : 0);
  if (deflateInit2(&stream_, sizing.level, Z_DEFLATED, window_bits, sizing.memory_level, Z_DEFAULT_STRATEGY) != Z_OK) {
    stream_.state = nullptr;
    return refused("zlib: no memory for an encoder");
  }
  return {};
}

void ZlibEncoder::pad(std::size_t size) {
  header_ = {};
  header_.os = 3;  // as zlib has it
  header_.extra = padding_.data();
  header_.extra_len = static_cast<uInt>(size);
  deflateSetHeader(&stream_, size != 0 ? &header_ : nullptr);
}

Result<void> ZlibEncoder::start(const EncoderOptions& options) {
  auto begun = begin(options);
  if (begun && options.coding == Coding::kGzip) pad(padding_of(options));
  return begun;
}

Result<void> ZlibEncoder::begin(const EncoderOptions& options) {
  const Sizing sizing = sizing_of(options);
  ended_ = false;
  spill_begin_ = spill_end_ = 0;
  const bool fits = is_made() && sizing.window_log == sizing_.window_log && sizing.memory_level == sizing_.memory_level;
  const int level_before = sizing_.level;
  sizing_ = sizing;
  if (!fits) return make(sizing, options.coding == Coding::kGzip);
  if (deflateReset(&stream_) != Z_OK) return refused("zlib: deflateReset");
  if (level_before != sizing.level && deflateParams(&stream_, sizing.level, Z_DEFAULT_STRATEGY) != Z_OK) {
    return refused("zlib: deflateParams");
  }
  return {};
}

std::size_t ZlibEncoder::write_spill(std::span<char> out) {
  const std::size_t count = std::min(out.size(), spill_end_ - spill_begin_);
  if (count != 0) std::memcpy(out.data(), spill_.data() + spill_begin_, count);
  spill_begin_ += count;
  return count;
}

bool ZlibEncoder::flush_into_spill() {
  stream_.next_out = reinterpret_cast<Bytef*>(spill_.data());
  stream_.avail_out = kSpill;
  deflate(&stream_, Z_SYNC_FLUSH);
  spill_begin_ = 0;
  spill_end_ = kSpill - stream_.avail_out;
  return spill_end_ == 0;
}

Result<Progress> ZlibEncoder::encode(std::string_view in, std::span<char> out, Flush flush) {
  Progress progress;
  progress.produced = write_spill(out);
  if (progress.produced == out.size()) {
    progress.done = in.empty() && flush == Flush::kNone;
    return progress;
  }
  if (ended_) return refused("zlib: bytes behind the end");
  const std::string_view piece = in.substr(0, kPieceMax);
  const auto room = std::min(out.size() - progress.produced, kPieceMax);
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(piece.data()));
  stream_.avail_in = static_cast<uInt>(piece.size());
  stream_.next_out = reinterpret_cast<Bytef*>(out.data() + progress.produced);
  stream_.avail_out = static_cast<uInt>(room);
  const int result = deflate(&stream_, piece.size() == in.size() ? zlib_flush(flush) : Z_NO_FLUSH);
  if (result == Z_STREAM_ERROR) return refused("zlib: deflate");
  progress.consumed = piece.size() - stream_.avail_in;
  progress.produced += room - stream_.avail_out;
  ended_ = result == Z_STREAM_END;
  const bool is_full = stream_.avail_out == 0;
  if (progress.consumed != in.size()) return progress;
  if (flush == Flush::kEnd) {
    progress.done = ended_;
  } else {
    progress.done = flush == Flush::kNone || !is_full || flush_into_spill();
  }
  return progress;
}

}  // namespace rproxy::codec
