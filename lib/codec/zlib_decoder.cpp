#include "codec/zlib_decoder.h"

#include <algorithm>

namespace rproxy::codec {
namespace {

constexpr std::size_t kInflatePieceMax = std::size_t{1} << 30U;  // zlib counts in 32 bits
constexpr int kWindowBits = 15;

}  // namespace

ZlibDecoder::ZlibDecoder(Account& account) {
  stream_.opaque = &account;
  stream_.zalloc = Account::allocate_items;
  stream_.zfree = Account::release;
}

ZlibDecoder::~ZlibDecoder() {
  if (stream_.state != nullptr) inflateEnd(&stream_);
}

Result<void> ZlibDecoder::begin(const DecoderOptions& options) {
  is_gzip_ = options.coding == Coding::kGzip;
  at_ = At::kStart;
  if (stream_.state != nullptr || inflateInit2(&stream_, kWindowBits) == Z_OK) return {};
  stream_.state = nullptr;
  return fail(ErrorCode::kInternal, Side::kLocal, Retry::kNever, "zlib: no memory for a decoder");
}

bool ZlibDecoder::open(char first) {
  int format = kWindowBits + 16;
  if (!is_gzip_) {
    // RFC 1950 2.2: the method, 8. Of a raw stream (RFC 1951 3.2.3) it would be a stored block with padding that nobody writes.
    const bool is_zlib = (static_cast<unsigned char>(first) & 0x0fU) == 8;
    format = is_zlib ? kWindowBits : -kWindowBits;
  }
  at_ = At::kInside;
  return inflateReset2(&stream_, format) == Z_OK;
}

Result<Progress> ZlibDecoder::step(std::string_view in, std::span<char> out) {
  Progress progress;
  const std::size_t piece_size = std::min(in.size(), kInflatePieceMax);
  const std::size_t room = std::min(out.size(), kInflatePieceMax);
  stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data()));
  stream_.avail_in = static_cast<uInt>(piece_size);
  stream_.next_out = reinterpret_cast<Bytef*>(out.data());
  stream_.avail_out = static_cast<uInt>(room);
  do {
    if (at_ == At::kEnd && stream_.avail_in == 0) break;
    if (at_ == At::kEnd && !is_gzip_) return malformed("bytes behind the end");
    if (at_ != At::kInside && !open(static_cast<char>(*stream_.next_in))) return malformed("no zlib state");
    const int result = inflate(&stream_, Z_NO_FLUSH);
    if (result == Z_STREAM_END) {
      at_ = At::kEnd;
    } else if (result == Z_MEM_ERROR) {
      return fail(ErrorCode::kInternal, Side::kLocal, Retry::kNever, "zlib: no memory for a window");
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return malformed(stream_.msg != nullptr ? stream_.msg : "a preset dictionary");
    }
  } while (at_ == At::kEnd && stream_.avail_out != 0);
  progress.consumed = piece_size - stream_.avail_in;
  progress.produced = room - stream_.avail_out;
  progress.done = at_ == At::kEnd && stream_.avail_in == 0;
  return progress;
}

}  // namespace rproxy::codec
